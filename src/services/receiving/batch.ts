import type { ConversationRow, LoadedParticipant, MessageRow, NewMessage } from '../../db/rows.ts';
import type { NewStatusEntry } from '../../db/statements/status-entries.ts';
import type { ParkedItem } from '../../db/statements/parked-items.ts';
import {
  replaceAttachments,
  saveAttachments,
  type AttachmentReplacement,
  type NewAttachment,
} from '../../db/statements/attachments.ts';
import { saveReactions, type NewReaction } from '../../db/statements/reactions.ts';
import { saveAccountEvents, type FreshNews, type NewAccountEvent } from '../../db/statements/account-events.ts';
import { saveToldNumber, type ToldNumber } from '../../db/statements/settings.ts';
import type { Transaction } from '../../db/transaction.ts';
import type { Changes } from '../changes.ts';
import { newConversation } from '../new-conversation.ts';
import type { Item, TemplateItem } from './items.ts';
import { participantSearch, type People } from './people.ts';
import type { Numbers, ReceivedItem } from './delivery.ts';
import { applyTemplateItems } from './templates.ts';
import { applyTroubles, type ToldTrouble } from './troubles.ts';

/** There is one conversation for each. */
export type Pair = { businessNumberId: string; participantId: string };

/** Everything that the items of one transaction look up and change. */
export class Batch {
  readonly changes: Changes;
  readonly people: People;
  readonly statusEntries: NewStatusEntry[] = [];
  readonly parked: ParkedItem[] = [];
  readonly attachments: NewAttachment[] = [];
  /** By message. */
  readonly replacedAttachments = new Map<string, AttachmentReplacement>();
  readonly reactions: NewReaction[] = [];
  readonly accountEvents: NewAccountEvent[] = [];
  readonly templateItems: TemplateItem[] = [];
  readonly troubles: ToldTrouble[] = [];
  readonly numberNews: (ToldNumber & { eventKey: string })[] = [];
  private readonly numbers: Numbers;
  private readonly awaited: ReadonlySet<string>;
  private readonly byPair = new Map<string, ConversationRow>();
  private readonly byProviderId = new Map<string, MessageRow>();
  private readonly byId = new Map<string, MessageRow>();

  /** `awaited` are Meta's ids of messages that parked items wait for. */
  constructor(changes: Changes, people: People, numbers: Numbers, awaited: ReadonlySet<string>) {
    this.changes = changes;
    this.people = people;
    this.numbers = numbers;
    this.awaited = awaited;
  }

  hold(conversations: ConversationRow[], messages: MessageRow[]): void {
    this.changes.hold(conversations);
    for (const row of conversations) this.byPair.set(pairKey(row), row);
    for (const message of messages) this.index(message);
  }

  /** The pairs of number and participant that the items speak of; participants are made on the way. */
  pairsOf(items: Item[]): Pair[] {
    for (const item of items) if (item.type === 'preference') this.people.resolve(item.participant);
    const pairs = items.flatMap((item) => this.pairOf(item) ?? []);
    return [...new Map(pairs.map((pair) => [pairKey(pair), pair])).values()];
  }

  /** Conversations that messages and calls begin. What only refers to a message begins none. */
  missingConversations(items: ReceivedItem[]): ConversationRow[] {
    const missing = new Map<string, ConversationRow>();
    for (const { item, receivedAt } of items) {
      const pair = this.pairOf(item);
      if (!pair) continue;
      const key = pairKey(pair);
      if (this.byPair.has(key) || missing.has(key)) continue;
      const at = timeOf('at' in item ? item.at : null, receivedAt);
      const search = participantSearch(this.participantOf(item));
      missing.set(key, newConversation({ ...pair, at, participantSearch: search, now: this.changes.now }));
    }
    return [...missing.values()];
  }

  conversationOf(item: Item): ConversationRow {
    const pair = this.pairOf(item);
    const conversation = pair && this.byPair.get(pairKey(pair));
    if (!conversation) throw new Error(`no conversation was made for an item of type ${item.type}`);
    return conversation;
  }

  message(providerId: string): MessageRow | undefined {
    return this.byProviderId.get(providerId);
  }

  messageById(id: string): MessageRow | undefined {
    return this.byId.get(id);
  }

  add(message: NewMessage): void {
    this.changes.newMessages.add(message);
    this.index(message);
  }

  index(message: MessageRow): void {
    this.byId.set(message.id, message);
    if (message.providerId) this.byProviderId.set(message.providerId, message);
  }

  /** The messages of this batch that something waits for. */
  awaitedIds(): string[] {
    const ids = [...this.changes.newMessages].flatMap((message) => message.providerId ?? []);
    return ids.filter((id) => this.awaited.has(id));
  }

  tellParticipantChanged(conversation: { id: string; businessNumberId: string }): void {
    this.changes.events.push({
      type: 'CONVERSATION_CHANGED',
      conversationId: conversation.id,
      businessNumberId: conversation.businessNumberId,
      occurredAt: this.changes.now,
      data: { changedFields: ['participant'] },
    });
  }

  async saveExtras(tx: Transaction): Promise<void> {
    await saveAttachments(tx, this.attachments);
    await replaceAttachments(tx, [...this.replacedAttachments.values()]);
    for (const messageId of await saveReactions(tx, this.reactions)) this.tellReaction(messageId);
    await this.applyNews(tx, await saveAccountEvents(tx, this.accountEvents));
    await applyTemplateItems(tx, this.templateItems);
  }

  /** The newest news holds, whatever came first. A name that was refused leaves the one that was approved before. */
  private async applyNews(tx: Transaction, fresh: FreshNews[]): Promise<void> {
    const byKey = new Map(fresh.map((news) => [news.key, news]));
    await applyTroubles(
      tx,
      this.troubles.filter(({ eventKey }) => byKey.get(eventKey)?.isLatest),
    );
    for (const told of this.numberNews) {
      const news = byKey.get(told.eventKey);
      if (told.displayName === null ? news?.isLatest : news?.isLatestOfItsKind) saveToldNumber(tx, told);
    }
  }

  private tellReaction(messageId: string): void {
    const message = this.byId.get(messageId);
    const conversation = message && this.changes.conversation(message.conversationId);
    if (!conversation) return;
    this.changes.tell(this.changes.touch(conversation), {
      type: 'MESSAGE_UPDATED',
      messageId,
      occurredAt: this.changes.now,
    });
  }

  private pairOf(item: Item): Pair | null {
    // What the business itself calls opens nothing.
    if (item.type === 'call' && !item.byCustomer) return null;
    if (item.type !== 'message' && item.type !== 'call' && item.type !== 'identity-change') return null;
    const businessNumberId = this.numbers.get(item.phoneNumberId);
    return businessNumberId ? { businessNumberId, participantId: this.participantOf(item).id } : null;
  }

  participantOf(item: Item): LoadedParticipant {
    if (item.type === 'message' && item.groupId) return this.people.resolveGroup(item.groupId);
    if (item.type === 'identity-change') return this.people.find(item.previous) ?? this.people.resolve(item.next);
    if ('participant' in item) return this.people.resolve(item.participant);
    throw new Error(`an item of type ${item.type} names no participant`);
  }
}

export function pairKey({ businessNumberId, participantId }: Pair): string {
  return `${businessNumberId}:${participantId}`;
}

const MAX_AHEAD_MS = 60_000;
/** WhatsApp did not exist before. */
const EARLIEST = new Date('2009-01-01T00:00:00Z');

/** Meta's time, or ours where it is missing, from before WhatsApp or in the future: a row must not stay on top for ever. */
export function timeOf(at: Date | null, receivedAt: Date): Date {
  if (!at || at < EARLIEST || at.getTime() > receivedAt.getTime() + MAX_AHEAD_MS) return receivedAt;
  return at;
}

/** The same at every repeat: what is told of a message without a time of its own happened with the message. */
export function timeTold(at: Date | null, message: { sentAt: Date }): Date {
  return at ?? message.sentAt;
}
