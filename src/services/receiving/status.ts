import { newId } from '../../db/new-id.ts';
import type { MessageRow } from '../../db/rows.ts';
import type { StatusItem } from './items.ts';
import { changeStatus, noteAccepted, type Problem } from '../outgoing.ts';
import { nextStatus } from '../status.ts';
import { timeTold, type Batch } from './batch.ts';
import { messageIdOf, retriesOf } from './our-id.ts';

/** A status counts by provider id, or by our own id while Meta's answer has not been stored. */
export function applyStatus(batch: Batch, item: StatusItem, receivedAt: Date): void {
  const { status } = item;
  if (status === 'unknown' || isOfReaction(item)) return;
  const message = findMessage(batch, item);
  if (!message) return park(batch, item);
  if (message.direction !== 'OUTGOING' || message.status === null || isOutlived(message, item)) return;
  const at = timeTold(item.at, message);
  tieProviderId(batch, message, item, receivedAt);
  const failure = status === 'FAILED' ? item.problem : null;
  const recipient = item.recipient.waId ?? item.recipient.userId ?? '';
  batch.statusEntries.push({
    id: newId(),
    messageId: message.id,
    status,
    at,
    recordedAt: receivedAt,
    recipient,
    failure,
  });
  if (status === 'FAILED' && isOfEarlierAttempt(message, item)) return;
  const previous = message.status;
  const next = nextStatus(previous, status);
  if (next !== previous)
    changeStatus(batch.changes, message, next, { previous, at, problem: item.problem ?? NO_REASON });
}

/** Whoever sees that a message failed is told so even where Meta leaves out why. */
const NO_REASON: Problem = { code: null, title: 'Unknown error', detail: 'WhatsApp gave no reason.' };

/** A message that was sent again has another provider id: that the first attempt failed says nothing any more. */
function isOfEarlierAttempt(message: MessageRow, item: StatusItem): boolean {
  return message.providerId !== null && message.providerId !== item.providerId;
}

function findMessage(batch: Batch, item: StatusItem): MessageRow | undefined {
  const ourId = messageIdOf(item.opaqueId);
  return batch.message(item.providerId) ?? (ourId ? batch.messageById(ourId) : undefined);
}

/** Our reactions are no messages: nothing waits for what becomes of them. */
function isOfReaction({ opaqueId }: StatusItem): boolean {
  return opaqueId?.startsWith('reaction:') ?? false;
}

/** Of an earlier try only its arrival counts: that it left or failed says nothing about the one that is under way. */
function isOutlived(message: MessageRow, { opaqueId, status }: StatusItem): boolean {
  const isEarlier = messageIdOf(opaqueId) === message.id && retriesOf(opaqueId) < message.retries;
  return isEarlier && (status === 'SENT' || status === 'FAILED');
}

/** The status came before the answer to our call, or instead of it: now we know what became of the message. */
function tieProviderId(batch: Batch, message: MessageRow, item: StatusItem, receivedAt: Date): void {
  if (message.providerId !== null && !message.outcomeUnknown && message.sendState !== 'SENDING') return;
  noteAccepted(batch.changes, message, item.providerId, receivedAt);
  batch.index(message);
}

function park(batch: Batch, item: StatusItem): void {
  const key = [
    'status',
    item.providerId,
    item.word,
    item.at?.getTime(),
    item.recipient.waId ?? item.recipient.userId,
  ].join(':');
  batch.parked.push({ key, targetProviderId: item.providerId, opaqueId: messageIdOf(item.opaqueId), item });
}
