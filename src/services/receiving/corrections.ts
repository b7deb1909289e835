import type { MessageRow } from '../../db/rows.ts';
import type { EditItem, ReactionItem, RevokeItem } from './items.ts';
import { refreshLastMessage } from '../last-messages.ts';
import { replaceMedia } from './attachments.ts';
import { timeTold, type Batch } from './batch.ts';
import { textOf } from '../new-message.ts';

type Correction = EditItem | RevokeItem | ReactionItem;

/** The newest edit holds, in whatever order they come. */
export function applyEdit(batch: Batch, item: EditItem, receivedAt: Date): void {
  const message = targetOf(batch, item);
  if (!message) return;
  const at = timeTold(item.at, message);
  if (!isNewerEdit(message, at, item.providerId)) return;
  Object.assign(message, textOf(item.replacement), { editedAt: at, editedBy: item.providerId });
  replaceMedia(batch, message, item.replacement.media, receivedAt);
  tellUpdated(batch, message, at);
}

function isNewerEdit(message: MessageRow, at: Date, providerId: string): boolean {
  const heldAt = message.editedAt?.getTime() ?? -Infinity;
  if (at.getTime() !== heldAt) return at.getTime() > heldAt;
  return providerId > (message.editedBy ?? '');
}

/** Withdrawn for everyone. The text stays, marked; the first time told holds. */
export function applyRevoke(batch: Batch, item: RevokeItem): void {
  const message = targetOf(batch, item);
  if (!message) return;
  const at = timeTold(item.at, message);
  if (message.withdrawnAt && message.withdrawnAt <= at) return;
  const isFirst = message.withdrawnAt === null;
  message.withdrawnAt = at;
  tellUpdated(batch, message, at);
  if (!isFirst || message.imported) return;
  // A waiver goes with its message, and what came before asks again.
  const ofCustomer = message.waivedAt ? 'NO_REPLY_NEEDED_WITHDRAWN' : 'TRIGGER_WITHDRAWN';
  const reason = message.direction === 'INCOMING' ? ofCustomer : 'CUSTOMER_MESSAGE';
  batch.changes.recheckBeacon(batch.changes.conversation(message.conversationId), reason);
}

export function applyReaction(batch: Batch, item: ReactionItem): void {
  const message = targetOf(batch, item);
  if (!message) return;
  const at = timeTold(item.at, message);
  const { emoji, providerId } = item;
  batch.reactions.push({
    messageId: message.id,
    byCustomer: item.from === 'customer',
    emoji,
    operatorId: null,
    at,
    providerId,
  });
}

/** What refers to a message that is not here yet waits for it; what refers to somebody else's message is refused. */
function targetOf(batch: Batch, item: Correction): MessageRow | undefined {
  const message = batch.message(item.targetProviderId);
  if (!message) {
    batch.parked.push({
      key: `${item.type}:${item.providerId}`,
      targetProviderId: item.targetProviderId,
      opaqueId: null,
      item,
    });
    return undefined;
  }
  const isAuthor = (item.from === 'customer') === (message.direction === 'INCOMING');
  return item.type === 'reaction' || isAuthor ? message : undefined;
}

function tellUpdated(batch: Batch, message: MessageRow, at: Date): void {
  const conversation = batch.changes.touch(batch.changes.conversation(message.conversationId));
  batch.changes.change(message);
  refreshLastMessage(conversation, message);
  batch.changes.tell(conversation, { type: 'MESSAGE_UPDATED', messageId: message.id, occurredAt: at });
}
