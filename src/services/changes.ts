import type { NewEvent } from '../db/event-log.ts';
import type { ConversationRow, MessageRow, NewMessage } from '../db/rows.ts';
import { updateConversations } from '../db/statements/conversations.ts';
import { loadBeaconTails } from '../db/statements/beacon-tail.ts';
import { addTemplateSyncJob } from '../db/statements/jobs.ts';
import { stopMarketing } from '../db/statements/participants.ts';
import { insertMessages, updateMessages } from '../db/statements/messages.ts';
import type { Transaction } from '../db/transaction.ts';
import type { BeaconReason } from '../generated/prisma/enums.ts';
import { beaconOf, beaconTurn, type BeaconOrder, type BeaconState } from './beacon.ts';
import { beaconMessage } from './beacon-message.ts';
import { openUnlessSettled, sendingStopped, type ChannelTrouble } from './channel-problems.ts';
import { windowState, type MessagingWindow } from './window.ts';

/** The customer wants no marketing any more, or the template is not what we think it is. */
export type FailureEffect = 'marketing-opt-out' | 'template-unusable';

/** Which readings of the rules this deployment chose. */
export type Rules = {
  beaconOrder: BeaconOrder;
  templateClearsBeacon: boolean;
  windowWarningMinutes: number;
  /** Whether trying again can help after this code of Meta's. */
  isRetryable: (providerCode: number | null) => boolean;
  /** What this code tells of something other than the message. */
  effectOf: (providerCode: number | null) => FailureEffect | null;
  /** Null where this code tells nothing of the channel. */
  troubleOf: (providerCode: number | null) => ChannelTrouble | null;
};

/**
 * What one transaction changes of conversations and their messages: rows are loaded and locked, rules change them
 * here, and `save` writes each kind in one statement. Conversations must be locked by whoever puts them in.
 */
export class Changes {
  readonly now: Date;
  readonly rules: Rules;
  readonly newMessages = new Set<NewMessage>();
  readonly events: NewEvent[] = [];
  private readonly conversations = new Map<string, ConversationRow>();
  /** Each held row as it was. */
  private readonly stored = new Map<ConversationRow, ConversationRow>();
  private readonly touched = new Set<ConversationRow>();
  private readonly changedMessages = new Set<MessageRow>();
  private readonly effects = new Map<FailureEffect, Set<string>>();
  private readonly troubles = new Map<string, Parameters<typeof openUnlessSettled>[1]>();
  private readonly unread = new Set<ConversationRow>();
  private readonly beaconsToCheck = new Map<ConversationRow, { reason: BeaconReason; byOperatorId: string | null }>();

  constructor(now: Date, rules: Rules) {
    this.now = now;
    this.rules = rules;
  }

  /** Rows as they are stored: what is changed of them from now on is written. */
  hold(rows: Iterable<ConversationRow>): void {
    for (const row of rows) {
      this.conversations.set(row.id, row);
      this.stored.set(row, { ...row });
    }
  }

  conversation(id: string): ConversationRow {
    const row = this.conversations.get(id);
    if (!row) throw new Error('a conversation was changed without being locked');
    return row;
  }

  private storedOf(row: ConversationRow): ConversationRow {
    const stored = this.stored.get(row);
    if (!stored) throw new Error('a conversation was changed without being locked');
    return stored;
  }

  touch(conversation: ConversationRow): ConversationRow {
    this.touched.add(conversation);
    return conversation;
  }

  /** A message that is new in this transaction is written whole anyway. */
  change(message: MessageRow): void {
    // A set of a subtype is asked about its supertype: membership is all that counts.
    if (!(this.newMessages as Set<MessageRow>).has(message)) this.changedMessages.add(message);
  }

  tell(conversation: ConversationRow, event: Omit<NewEvent, 'conversationId' | 'businessNumberId'>): void {
    this.events.push({ ...event, conversationId: conversation.id, businessNumberId: conversation.businessNumberId });
  }

  setBeacon(
    conversation: ConversationRow,
    state: BeaconState,
    reason: BeaconReason,
    byOperatorId: string | null = null,
  ): void {
    const turn = beaconTurn(beaconState(conversation), state, reason);
    conversation.noReplyNeeded = state.waived;
    if (!state.waived) Object.assign(conversation, { noReplyNeededById: null, noReplyNeededAt: null });
    conversation.beaconOn = state.on;
    conversation.beaconSince = state.since;
    conversation.beaconTriggerId = state.triggerId;
    if (!turn) return;
    Object.assign(conversation, { beaconReason: reason, beaconChangedAt: this.now });
    const data = { on: turn.on, reason, since: state.since?.toISOString() ?? null, byOperatorId };
    this.tell(conversation, { type: 'BEACON_CHANGED', operatorId: byOperatorId, occurredAt: this.now, data });
  }

  /** For changes that may turn the beacon back: it is computed from the stored messages before the commit. */
  recheckBeacon(conversation: ConversationRow, reason: BeaconReason, byOperatorId: string | null = null): void {
    this.beaconsToCheck.set(this.touch(conversation), { reason, byOperatorId });
  }

  setWindow(conversation: ConversationRow, window: MessagingWindow): void {
    conversation.windowOpenedAt = window.openedAt;
    conversation.windowOpenedBy = window.openedBy;
    conversation.windowExpiresAt = window.expiresAt;
    const state = windowState(window.expiresAt, this.now, this.rules.windowWarningMinutes);
    if (state === conversation.windowAnnounced) return;
    conversation.windowAnnounced = state;
    const data = { state, expiresAt: window.expiresAt?.toISOString() ?? null };
    this.tell(conversation, { type: 'WINDOW_CHANGED', occurredAt: this.now, data });
  }

  /** Applied with the rest, whether Meta's answer or a status told it. */
  noteEffect(effect: FailureEffect, participantId: string): void {
    this.effects.set(effect, (this.effects.get(effect) ?? new Set()).add(participantId));
  }

  /** The channel was in trouble at `since` (UTC), as a message that failed tells. */
  noteTrouble(trouble: ChannelTrouble, providerCode: number | null, businessNumberId: string, since: Date): void {
    const problem = sendingStopped(trouble, providerCode, businessNumberId);
    this.troubles.set(problem.key, { ...problem, since });
  }

  setUnread(conversation: ConversationRow, count: number): void {
    if (conversation.unreadCount === count) return;
    conversation.unreadCount = count;
    this.unread.add(conversation);
  }

  /** New and changed messages. */
  saveMessages(tx: Transaction): void {
    insertMessages(tx, [...this.newMessages]);
    updateMessages(tx, [...this.changedMessages]);
  }

  /** Last of all, with the messages stored: the conversations, then the events. */
  async finish(tx: Transaction): Promise<void> {
    if (this.beaconsToCheck.size > 0) await this.checkBeacons(tx);
    for (const conversation of this.unread) this.tellUnread(conversation);
    updateConversations(
      tx,
      [...this.touched].map((row) => ({ row, stored: this.storedOf(row) })),
    );
    await stopMarketing(tx, [...(this.effects.get('marketing-opt-out') ?? [])]);
    if (this.effects.has('template-unusable')) await addTemplateSyncJob(tx);
    for (const problem of this.troubles.values()) await openUnlessSettled(tx, problem);
    tx.append(...this.events);
  }

  private async checkBeacons(tx: Transaction): Promise<void> {
    const order = this.rules.beaconOrder;
    const ids = [...this.beaconsToCheck.keys()].map((conversation) => conversation.id);
    const whole = order === 'provider_time' || !this.rules.templateClearsBeacon;
    const tails = Map.groupBy(await loadBeaconTails(tx, ids, whole), (row) => row.conversationId);
    for (const [conversation, { reason, byOperatorId }] of this.beaconsToCheck) {
      const messages = (tails.get(conversation.id) ?? []).map((row) => beaconMessage(row, this.rules));
      this.setBeacon(conversation, beaconOf(messages, order), reason, byOperatorId);
    }
  }

  private tellUnread(conversation: ConversationRow): void {
    const data = { unreadCount: conversation.unreadCount };
    this.tell(conversation, { type: 'UNREAD_CHANGED', occurredAt: this.now, data });
  }
}

export function beaconState(conversation: ConversationRow): BeaconState {
  return {
    on: conversation.beaconOn,
    since: conversation.beaconSince,
    triggerId: conversation.beaconTriggerId,
    waived: conversation.noReplyNeeded,
  };
}

export function messagingWindow(conversation: ConversationRow): MessagingWindow {
  return {
    openedAt: conversation.windowOpenedAt,
    openedBy: conversation.windowOpenedBy,
    expiresAt: conversation.windowExpiresAt,
  };
}
