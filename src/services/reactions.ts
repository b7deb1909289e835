import type { Database } from '../db/database.ts';
import { addReactionJob } from '../db/statements/jobs.ts';
import { findMessages } from '../db/statements/messages.ts';
import { findOwnReaction, saveReactions, withdrawReaction } from '../db/statements/reactions.ts';
import { transaction, type Transaction } from '../db/transaction.ts';
import { Failure, NotFoundError, ValidationError } from '../errors.ts';
import type { Actor } from './actor.ts';
import { requireAddressee } from './addressee.ts';
import { Changes, type Rules } from './changes.ts';
import { isReactable } from './message-rules.ts';
import { lockConversation, requireOpenWindow } from './messages.ts';

const ONE_EMOJI = /^(?:\p{RGI_Emoji}|\p{Extended_Pictographic})$/v;

/** Sets our one reaction to a message, or removes it with null. Safe to repeat. */
export async function setReaction(
  db: Database,
  actor: Actor,
  reaction: { messageId: string; emoji: string | null },
  rules: Rules,
): Promise<void> {
  const emoji = reaction.emoji?.trim() ?? null;
  if (emoji !== null && !ONE_EMOJI.test(emoji))
    throw refused('NOT_ONE_EMOJI', 'A reaction is exactly one emoji.', 'emoji');
  await transaction(db, async (tx) => {
    const changes = await openReactable(tx, reaction.messageId, rules);
    if ((await findOwnReaction(tx, reaction.messageId)) === emoji) return;
    const operatorId = actor.operatorId;
    const [changed] = await saveReactions(tx, [
      { messageId: reaction.messageId, byCustomer: false, emoji, operatorId, at: tx.now, providerId: null },
    ]);
    if (!changed) return;
    await addReactionJob(tx, reaction.messageId);
    await changes.finish(tx);
  });
}

/** Meta refused it for good: what the customer never saw must not stand here. */
export async function undoReaction(db: Database, messageId: string, at: Date, rules: Rules): Promise<void> {
  await transaction(db, async (tx) => {
    const [message] = await findMessages(tx, [], [messageId]);
    if (!message) return;
    const conversation = await lockConversation(tx, message.conversationId);
    if (!(await withdrawReaction(tx, messageId, at))) return;
    const changes = new Changes(tx.now, rules);
    changes.hold([conversation]);
    changes.tell(changes.touch(conversation), { type: 'MESSAGE_UPDATED', messageId, occurredAt: tx.now });
    await changes.finish(tx);
  });
}

async function openReactable(tx: Transaction, messageId: string, rules: Rules): Promise<Changes> {
  const [message] = await findMessages(tx, [], [messageId]);
  if (!message) throw new Failure(new NotFoundError('There is no such message.', ['input', 'messageId']));
  const conversation = await lockConversation(tx, message.conversationId);
  await requireAddressee(tx, conversation.id);
  if (!isReactable(message, tx.now))
    throw refused('NOT_REACTABLE', 'WhatsApp no longer takes a reaction to this message.', 'messageId');
  requireOpenWindow(conversation, tx.now);
  const changes = new Changes(tx.now, rules);
  changes.hold([conversation]);
  changes.tell(changes.touch(conversation), { type: 'MESSAGE_UPDATED', messageId, occurredAt: tx.now });
  return changes;
}

function refused(rule: string, message: string, field: string): Failure {
  return new Failure(new ValidationError(rule, message, ['input', field]));
}
