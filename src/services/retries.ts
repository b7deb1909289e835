import type { Database } from '../db/database.ts';
import type { MessageRow } from '../db/rows.ts';
import { addSendJob } from '../db/statements/jobs.ts';
import { findMessages } from '../db/statements/messages.ts';
import { requeueMessage, templateOfMessage } from '../db/statements/send-queue.ts';
import { transaction, type Transaction } from '../db/transaction.ts';
import { Failure, NotFoundError, ValidationError } from '../errors.ts';
import type { Actor } from './actor.ts';
import { requireAddressee } from './addressee.ts';
import { Changes, type Rules } from './changes.ts';
import { claimKey } from './idempotency.ts';
import { refreshLastMessage } from './last-messages.ts';
import { isDiscardable, isRetryable } from './message-rules.ts';
import { lockConversation, requireOpenWindow, type Sent } from './messages.ts';
import { changeStatus } from './outgoing.ts';
import { requireUsable } from './template-messages.ts';

export type Retry = {
  messageId: string;
  idempotencyKey: string;
  /** The first try may have arrived: without this only what surely failed is sent again. */
  acceptDuplicateRisk: boolean;
};

/** Sends a failed message anew, or one whose outcome is unknown. It keeps its id and its place. */
export async function retryMessage(db: Database, actor: Actor, retry: Retry, rules: Rules): Promise<Sent> {
  return transaction(db, async (tx) => {
    const { idempotencyKey, ...content } = retry;
    const claim = { actor: actor.key, key: idempotencyKey, operation: 'retry', content, resultId: retry.messageId };
    const first = await claimKey(tx, claim);
    const message = await findOutgoing(tx, retry.messageId);
    const sent = { messageId: message.id, conversationId: message.conversationId };
    if (first) return { ...sent, replayed: true };
    const changes = await openConversation(tx, message, rules);
    const current = await findOutgoing(tx, message.id);
    await requireRetryable(tx, changes, current, retry.acceptDuplicateRisk);
    await sendAnew(tx, changes, current);
    return { ...sent, replayed: false };
  });
}

/** Gives a message up that Meta did not accept, as far as we know. Safe to repeat. */
export async function discardMessage(db: Database, messageId: string, rules: Rules): Promise<Sent> {
  return transaction(db, async (tx) => {
    const { conversationId } = await findOutgoing(tx, messageId);
    const changes = await openConversation(tx, { conversationId }, rules);
    const message = await findOutgoing(tx, messageId);
    const sent = { messageId, conversationId, replayed: false };
    if (message.discardedAt) return sent;
    if (!isDiscardable(message)) throw refused('NOT_DISCARDABLE', 'WhatsApp has this message already.', 'messageId');
    giveUp(changes, message);
    changes.saveMessages(tx);
    await changes.finish(tx);
    return sent;
  });
}

async function findOutgoing(tx: Transaction, id: string): Promise<MessageRow> {
  const [message] = await findMessages(tx, [], [id]);
  if (message) return message;
  throw new Failure(new NotFoundError('There is no such message.', ['input', 'messageId']));
}

async function openConversation(
  tx: Transaction,
  { conversationId }: Pick<MessageRow, 'conversationId'>,
  rules: Rules,
): Promise<Changes> {
  const changes = new Changes(tx.now, rules);
  changes.hold([await lockConversation(tx, conversationId)]);
  return changes;
}

async function requireRetryable(tx: Transaction, changes: Changes, message: MessageRow, acceptsRisk: boolean) {
  if (!isRetryable(message)) throw refused('NOT_RETRYABLE', 'Only what failed can be sent again.', 'messageId');
  if (message.outcomeUnknown && !acceptsRisk)
    throw refused(
      'DUPLICATE_RISK',
      'It is not known whether the message arrived: the customer may get it twice. Accept that to send it again.',
      'acceptDuplicateRisk',
    );
  const addressee = await requireAddressee(tx, message.conversationId);
  if (message.kind !== 'TEMPLATE') return requireOpenWindow(changes.conversation(message.conversationId), tx.now);
  const template = await templateOfMessage(tx, message.id);
  if (!template) throw refused('TEMPLATE_GONE', 'The template of this message is gone.', 'messageId');
  requireUsable(template, addressee.marketingStoppedAt !== null);
}

async function sendAnew(tx: Transaction, changes: Changes, message: MessageRow): Promise<void> {
  const conversation = changes.touch(changes.conversation(message.conversationId));
  const wasFailed = message.status === 'FAILED';
  Object.assign(message, { providerId: null, acceptedAt: null, outcomeUnknown: false, sendState: 'QUEUED' });
  message.retries += 1;
  message.traceParent = tx.trace;
  if (wasFailed) changeStatus(changes, message, 'PENDING', { previous: 'FAILED', at: tx.now, problem: null });
  else {
    message.failureTitle = null;
    changes.change(message);
    changes.tell(conversation, { type: 'MESSAGE_UPDATED', messageId: message.id, occurredAt: tx.now });
  }
  changes.saveMessages(tx);
  await requeueMessage(tx, message.id);
  addSendJob(tx, conversation.id);
  await changes.finish(tx);
}

function giveUp(changes: Changes, message: MessageRow): void {
  const conversation = changes.touch(changes.conversation(message.conversationId));
  const wasQueued = message.sendState === 'QUEUED' && message.status === 'PENDING';
  message.discardedAt = changes.now;
  message.sendState = 'REFUSED';
  changes.change(message);
  if (wasQueued) {
    const problem = { code: null, title: 'DISCARDED', detail: 'It was given up before it was sent.' };
    return changeStatus(changes, message, 'FAILED', { previous: 'PENDING', at: changes.now, problem });
  }
  refreshLastMessage(conversation, message);
  changes.tell(conversation, { type: 'MESSAGE_UPDATED', messageId: message.id, occurredAt: changes.now });
  changes.recheckBeacon(conversation, 'REPLY_FAILED');
}

function refused(rule: string, message: string, field: string): Failure {
  return new Failure(new ValidationError(rule, message, ['input', field]));
}
