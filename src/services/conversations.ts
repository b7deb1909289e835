import type { Database } from '../db/database.ts';
import type { ConversationRow, MessageRow } from '../db/rows.ts';
import { countUnread } from '../db/statements/unread.ts';
import { findMessages } from '../db/statements/messages.ts';
import { transaction, type Transaction } from '../db/transaction.ts';
import { Failure, NotFoundError, StaleStateError, ValidationError } from '../errors.ts';
import type { Actor } from './actor.ts';
import { asksForReply } from './beacon-message.ts';
import { Changes, type Rules } from './changes.ts';
import { findLastAsking } from './last-asking.ts';
import { lockConversation } from './messages.ts';
import { queueReceipt } from './receipts.ts';

/** Moves the read horizon to the named message; it never moves back. With a receipt the customer is told, too. */
export async function markConversationRead(
  db: Database,
  mark: { conversationId: string; upToMessageId: string; sendReadReceipt: boolean },
  rules: Rules,
): Promise<void> {
  await transaction(db, async (tx) => {
    const conversation = await lockConversation(tx, mark.conversationId);
    const message = await messageOf(tx, conversation, mark.upToMessageId, 'upToMessageId');
    if (mark.sendReadReceipt) await queueReceipt(tx, conversation, message.sequence);
    if (message.sequence <= conversation.readUpToSequence) return;
    const changes = open(tx, conversation, rules);
    conversation.readUpToSequence = message.sequence;
    conversation.readUpToId = message.id;
    changes.touch(conversation);
    changes.setUnread(conversation, await countUnread(tx, conversation.id, message.sequence));
    await changes.finish(tx);
  });
}

/** Ticks or unticks "no reply needed" for the last customer message. Safe to repeat. */
export async function setNoReplyNeeded(
  db: Database,
  actor: Actor,
  waiver: { conversationId: string; messageId: string; value: boolean },
  rules: Rules,
): Promise<void> {
  await transaction(db, async (tx) => {
    const conversation = await lockConversation(tx, waiver.conversationId);
    const message = await messageOf(tx, conversation, waiver.messageId, 'messageId');
    await requireLast(tx, message, rules);
    if ((message.waivedAt !== null) === waiver.value) return;
    const changes = open(tx, conversation, rules);
    await waive(tx, message, waiver.value ? actor.operatorId : null, waiver.value);
    changes.recheckBeacon(
      conversation,
      waiver.value ? 'NO_REPLY_NEEDED' : 'NO_REPLY_NEEDED_WITHDRAWN',
      actor.operatorId,
    );
    conversation.noReplyNeededById = waiver.value ? actor.operatorId : null;
    conversation.noReplyNeededAt = waiver.value ? tx.now : null;
    await changes.finish(tx);
  });
}

function open(tx: Transaction, conversation: ConversationRow, rules: Rules): Changes {
  const changes = new Changes(tx.now, rules);
  changes.hold([conversation]);
  return changes;
}

async function messageOf(
  tx: Transaction,
  conversation: ConversationRow,
  id: string,
  argument: string,
): Promise<MessageRow> {
  const [message] = await findMessages(tx, [], [id]);
  if (message && message.conversationId === conversation.id) return message;
  throw new Failure(new NotFoundError('There is no such message in this conversation.', ['input', argument]));
}

/** The last one for the beacon: a tick on any other would leave it as it is. */
async function requireLast(tx: Transaction, message: MessageRow, { beaconOrder }: Rules): Promise<void> {
  const path = ['input', 'messageId'];
  if (message.withdrawnAt) throw new Failure(new ValidationError('DELETED', 'The message was taken back.', path));
  if (!asksForReply(message)) {
    const sentence = 'Only a message of the customer can need no reply.';
    throw new Failure(new ValidationError('NOT_A_CUSTOMER_MESSAGE', sentence, path));
  }
  const latestIncomingMessageId = (await findLastAsking(tx, message.conversationId, beaconOrder))?.id;
  if (message.id === latestIncomingMessageId) return;
  throw new Failure(new StaleStateError('A newer message of the customer has arrived.', { latestIncomingMessageId }));
}

/** The waiver belongs to the message, so that a newer one ends it. */
async function waive(tx: Transaction, message: MessageRow, operatorId: string | null, value: boolean): Promise<void> {
  await tx.query('UPDATE message SET waived_at = $2, waived_by_id = $3 WHERE id = $1', [
    message.id,
    value ? tx.now : null,
    operatorId,
  ]);
}
