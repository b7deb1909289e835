import { v7 as uuid } from 'uuid';
import type { Database } from '../db/database.ts';
import type { ConversationRow, NewMessage } from '../db/rows.ts';
import { lockConversations } from '../db/statements/conversations.ts';
import { addSendJob } from '../db/statements/jobs.ts';
import { transaction, type Transaction } from '../db/transaction.ts';
import { Failure, NotFoundError, StaleStateError, ValidationError, WindowClosedError } from '../errors.ts';
import type { Actor } from './actor.ts';
import { beaconOff } from './beacon.ts';
import { Changes, type Rules } from './changes.ts';
import { claimKey } from './idempotency.ts';
import { noteLastMessages, secondOf } from './last-messages.ts';
import { blankMessage, textOf } from './new-message.ts';
import { isWindowOpen } from './window.ts';

export type Reply = {
  conversationId: string;
  text: string;
  idempotencyKey: string;
  expectedLastIncomingMessageId?: string | null;
};

export type Sent = { messageId: string; conversationId: string; replayed: boolean };

const MAX_TEXT_LENGTH = 4_096;

/** Queues a text for the customer: stored as PENDING with its job, beacon off, in one transaction. */
export async function replyToConversation(db: Database, actor: Actor, reply: Reply, rules: Rules): Promise<Sent> {
  const text = checkedText(reply.text);
  return transaction(db, async (tx) => {
    const id = uuid();
    const { idempotencyKey, ...content } = reply;
    const first = await claimKey(tx, {
      actor: actor.key,
      key: idempotencyKey,
      operation: 'reply',
      content,
      resultId: id,
    });
    if (first) return { messageId: first, conversationId: reply.conversationId, replayed: true };
    const conversation = await lockConversation(tx, reply.conversationId);
    if (!isWindowOpen(conversation.windowExpiresAt, tx.now)) throw new Failure(new WindowClosedError(conversation.id));
    requireSeen(conversation, reply.expectedLastIncomingMessageId);
    const changes = new Changes(tx.now, rules);
    changes.hold([conversation]);
    queueMessage(changes, conversation, {
      ...outgoing(text, tx.now),
      id,
      sentById: actor.operatorId,
      sentByTokenId: actor.tokenId,
      clientKey: idempotencyKey,
    });
    await changes.saveMessages(tx);
    await addSendJob(tx, conversation.id);
    await changes.finish(tx);
    return { messageId: id, conversationId: conversation.id, replayed: false };
  });
}

function checkedText(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') throw new Failure(new ValidationError('EMPTY', 'Write a text.', ['input', 'text']));
  if (trimmed.length > MAX_TEXT_LENGTH) {
    throw new Failure(
      new ValidationError('TOO_LONG', `A text has at most ${MAX_TEXT_LENGTH} characters.`, ['input', 'text']),
    );
  }
  return trimmed;
}

export async function lockConversation(tx: Transaction, id: string): Promise<ConversationRow> {
  const [conversation] = await lockConversations(tx, [id]);
  if (!conversation)
    throw new Failure(new NotFoundError('There is no such conversation.', ['input', 'conversationId']));
  return conversation;
}

/** The operator answers what they saw: a newer message of the customer must be read first. */
function requireSeen(conversation: ConversationRow, expectedId: string | null | undefined): void {
  const latestIncomingMessageId = conversation.lastIncomingMessageId;
  if (!expectedId || expectedId === latestIncomingMessageId) return;
  throw new Failure(new StaleStateError('A newer message of the customer has arrived.', { latestIncomingMessageId }));
}

function outgoing(text: string, now: Date): Omit<NewMessage, 'id' | 'conversationId' | 'sequence'> {
  const described = { kind: 'TEXT' as const, content: { type: 'text' as const, text }, media: null };
  return {
    ...blankMessage(),
    ...textOf(described),
    direction: 'OUTGOING',
    origin: 'OPERATOR',
    status: 'PENDING',
    sendState: 'QUEUED',
    sentAt: now,
    sentSecond: secondOf(now),
    receivedAt: now,
  };
}

/** Gives an outgoing message its place and lets beacon, unread and author follow. */
export function queueMessage(
  changes: Changes,
  conversation: ConversationRow,
  queued: Omit<NewMessage, 'conversationId' | 'sequence'>,
): NewMessage {
  changes.touch(conversation).lastSequence += 1;
  const message = { ...queued, conversationId: conversation.id, sequence: conversation.lastSequence };
  changes.newMessages.add(message);
  noteLastMessages(conversation, message);
  changes.tell(conversation, {
    type: 'MESSAGE_ADDED',
    messageId: message.id,
    operatorId: message.sentById,
    occurredAt: message.sentAt,
  });
  noteReply(changes, conversation, message.sentById);
  return message;
}

/** Whoever answers has read what was there, and the customer waits no more. */
function noteReply(changes: Changes, conversation: ConversationRow, operatorId: string | null): void {
  conversation.readUpToSequence = conversation.lastSequence;
  conversation.readUpToId = conversation.lastIncomingMessageId;
  changes.setUnread(conversation, 0);
  if (changes.rules.beaconOrder === 'provider_time')
    return changes.recheckBeacon(conversation, 'OPERATOR_REPLIED', operatorId);
  changes.setBeacon(conversation, beaconOff, 'OPERATOR_REPLIED', operatorId);
}
