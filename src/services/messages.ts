import { v7 as uuid } from 'uuid';
import type { Database } from '../db/database.ts';
import type { DescribedContent } from '../db/content.ts';
import type { ConversationRow, NewMessage } from '../db/rows.ts';
import { lockConversations } from '../db/statements/conversations.ts';
import { addSendJob } from '../db/statements/jobs.ts';
import { findMessages } from '../db/statements/messages.ts';
import { attachFiles, type SendFile } from '../db/statements/send-files.ts';
import { transaction, type Transaction } from '../db/transaction.ts';
import { Failure, NotFoundError, StaleStateError, ValidationError, WindowClosedError } from '../errors.ts';
import type { Actor } from './actor.ts';
import { requireAddressee } from './addressee.ts';
import type { AttachmentKind } from './attachment-kinds.ts';
import { beaconOff } from './beacon.ts';
import { Changes, type Rules } from './changes.ts';
import { asNamed, claimKey, type NamedConversation } from './idempotency.ts';
import { findLastAsking } from './last-asking.ts';
import { noteLastMessages, secondOf } from './last-messages.ts';
import { isQuotable } from './message-rules.ts';
import { blankMessage, textOf } from './new-message.ts';
import { requireOwnFile } from './send-files.ts';
import { isWindowOpen } from './window.ts';

export type Reply = NamedConversation & {
  /** Beside an attachment it is its caption. */
  text: string;
  attachmentId: string | null;
  quotedMessageId: string | null;
  idempotencyKey: string;
  expectedLastIncomingMessageId: string | null;
};

export type Sent = { messageId: string; conversationId: string; replayed: boolean };

const MAX_TEXT_LENGTH = 4_096;
// PostgreSQL keeps neither, and Meta would refuse them.
const UNREADABLE = /[\0\p{Surrogate}]/u;

/** Queues a reply for the customer: stored as PENDING with its job, beacon off, in one transaction. */
export async function replyToConversation(db: Database, actor: Actor, reply: Reply, rules: Rules): Promise<Sent> {
  const text = checkedText(reply.text, reply.attachmentId === null);
  return transaction(db, async (tx) => {
    const id = uuid();
    const { idempotencyKey, ...content } = reply;
    const claim = {
      actor: actor.key,
      key: idempotencyKey,
      operation: 'reply',
      content: asNamed(content),
      resultId: id,
    };
    const first = await claimKey(tx, claim);
    if (first) return { messageId: first, conversationId: reply.conversationId, replayed: true };
    const [conversation] = await Promise.all([
      lockConversation(tx, reply.conversationId),
      requireAddressee(tx, reply.conversationId),
    ]);
    requireOpenWindow(conversation, tx.now);
    await requireSeen(tx, conversation, reply.expectedLastIncomingMessageId);
    const own = reply.attachmentId ? await requireOwnFile(tx, actor, reply.attachmentId, text) : null;
    const message = {
      ...outgoingMessage(own ? describeFile(own, text) : describeText(text), tx.now),
      ...(await quotation(tx, conversation, reply.quotedMessageId)),
      ...authorOf(actor),
      id,
      clientKey: idempotencyKey,
    };
    return sendLater(tx, conversation, message, own ? [own.file.id] : [], rules);
  });
}

/** Stores the message with everything that belongs to it. */
export async function sendLater(
  tx: Transaction,
  conversation: ConversationRow,
  message: Omit<NewMessage, 'conversationId' | 'sequence'>,
  fileIds: string[],
  rules: Rules,
): Promise<Sent> {
  const changes = new Changes(tx.now, rules);
  changes.hold([conversation]);
  queueMessage(changes, conversation, { ...message, traceParent: tx.trace });
  changes.saveMessages(tx);
  await attachFiles(tx, message.id, fileIds);
  addSendJob(tx, conversation.id);
  await changes.finish(tx);
  return { messageId: message.id, conversationId: conversation.id, replayed: false };
}

function checkedText(text: string, isNeeded: boolean): string {
  const trimmed = text.trim();
  if (trimmed === '' && isNeeded) throw refusedText('EMPTY', 'Write a text.');
  if (trimmed.length > MAX_TEXT_LENGTH)
    throw refusedText('TOO_LONG', `A text has at most ${MAX_TEXT_LENGTH} characters.`);
  if (UNREADABLE.test(trimmed)) throw refusedText('UNREADABLE', 'The text holds characters that cannot be sent.');
  return trimmed;
}

function refusedText(rule: string, message: string): Failure {
  return new Failure(new ValidationError(rule, message, ['input', 'text']));
}

export async function lockConversation(tx: Transaction, id: string): Promise<ConversationRow> {
  const [conversation] = await lockConversations(tx, [id]);
  if (!conversation)
    throw new Failure(new NotFoundError('There is no such conversation.', ['input', 'conversationId']));
  return conversation;
}

export function requireOpenWindow(conversation: ConversationRow, now: Date): void {
  if (!isWindowOpen(conversation.windowExpiresAt, now)) throw new Failure(new WindowClosedError(conversation.id));
}

/** The operator answers what they saw: whatever of the customer arrived later must be read first. */
async function requireSeen(tx: Transaction, conversation: ConversationRow, seenId: string | null): Promise<void> {
  if (!seenId) return;
  const [last, [seen]] = await Promise.all([
    findLastAsking(tx, conversation.id, 'arrival'),
    findMessages(tx, [], [seenId]),
  ]);
  const isOfHere = seen?.conversationId === conversation.id;
  if (isOfHere && (!last || last.sequence <= seen.sequence)) return;
  const latestIncomingMessageId = last?.id ?? null;
  throw new Failure(new StaleStateError('A newer message of the customer has arrived.', { latestIncomingMessageId }));
}

function describeText(text: string): DescribedContent {
  return { kind: 'TEXT', content: { type: 'text', text }, media: null };
}

function describeFile({ file, kind }: { file: SendFile; kind: AttachmentKind }, caption: string): DescribedContent {
  const { fileName, mimeType, sha256 } = file;
  const media = { mediaId: null, fileName, mimeType, sha256 };
  return { kind: kind.kind, content: { type: 'media', caption: caption || null }, media };
}

/** What a reply quotes must be in the same conversation and known to Meta. */
async function quotation(
  tx: Transaction,
  conversation: ConversationRow,
  quotedId: string | null,
): Promise<Pick<NewMessage, 'quotedId' | 'quotedProviderId'>> {
  if (!quotedId) return { quotedId: null, quotedProviderId: null };
  const path = ['input', 'quotedMessageId'];
  const [quoted] = await findMessages(tx, [], [quotedId]);
  if (!quoted || quoted.conversationId !== conversation.id)
    throw new Failure(new NotFoundError('There is no such message in this conversation.', path));
  if (!isQuotable(quoted))
    throw new Failure(new ValidationError('NOT_QUOTABLE', 'This message cannot be quoted.', path));
  return { quotedId, quotedProviderId: quoted.providerId };
}

export function authorOf(actor: Actor): Pick<NewMessage, 'sentById' | 'sentByTokenId'> {
  return { sentById: actor.operatorId, sentByTokenId: actor.tokenId };
}

export function outgoingMessage(
  described: DescribedContent,
  now: Date,
): Omit<NewMessage, 'id' | 'conversationId' | 'sequence' | 'sentById' | 'sentByTokenId'> {
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
  noteReply(changes, conversation, message);
  return message;
}

/** Whoever answers has read what was there, and the customer waits no more. */
function noteReply(changes: Changes, conversation: ConversationRow, { kind, sentById }: NewMessage): void {
  conversation.readUpToSequence = conversation.lastSequence;
  conversation.readUpToId = conversation.lastIncomingMessageId;
  changes.setUnread(conversation, 0);
  if (kind === 'TEMPLATE' && !changes.rules.templateClearsBeacon) return;
  if (changes.rules.beaconOrder === 'provider_time')
    return changes.recheckBeacon(conversation, 'OPERATOR_REPLIED', sentById);
  changes.setBeacon(conversation, beaconOff, 'OPERATOR_REPLIED', sentById);
}
