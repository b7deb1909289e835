import type { MessageRow } from '../db/rows.ts';
import { findMessages } from '../db/statements/messages.ts';
import { takeParkedItems } from '../db/statements/parked-items.ts';
import { endLease, type Unsent } from '../db/statements/send-queue.ts';
import type { Transaction } from '../db/transaction.ts';
import { Changes, type Rules } from './changes.ts';
import { lockConversation } from './messages.ts';
import { changeStatus, noteAccepted, type Problem } from './outgoing.ts';
import type { Numbers } from './receiving/delivery.ts';
import type { Item } from './receiving/items.ts';
import { receiveItems, revived } from './receiving/receive.ts';

/** Meta has it. What waited for its id is applied at once. */
export async function accept(
  tx: Transaction,
  unsent: Unsent,
  providerId: string,
  rules: Rules,
  numbers: Numbers,
): Promise<void> {
  await change(tx, unsent, rules, (changes, message) => noteAccepted(changes, message, providerId, tx.now));
  const waiting = await takeParkedItems<Item>(tx, [providerId], [unsent.id]);
  if (waiting.length === 0) return;
  await receiveItems(
    tx,
    waiting.map(({ item, receivedAt }) => ({ item: revived(item), receivedAt })),
    numbers,
    rules,
  );
}

/** It will not be sent. */
export async function refuse(
  tx: Transaction,
  unsent: Pick<Unsent, 'id' | 'conversationId'>,
  problem: Problem,
  rules: Rules,
): Promise<void> {
  await change(tx, unsent, rules, (changes, message) => {
    if (message.status !== 'PENDING' && message.status !== 'SENT') return;
    message.sendState = 'REFUSED';
    changeStatus(changes, message, 'FAILED', { previous: message.status, at: tx.now, problem });
  });
}

/** It may have been sent: only a status with our id, or the operator, can tell. The waiting begins now. */
export async function loseAnswer(tx: Transaction, unsent: Unsent, rules: Rules): Promise<void> {
  await change(tx, unsent, rules, (changes, message) => {
    if (message.sendState !== 'SENDING') return;
    message.sendState = 'UNKNOWN';
    message.outcomeUnknown = true;
    message.failureTitle = 'The answer of WhatsApp was lost: the message may have been sent.';
    changes.change(message);
    const conversation = changes.touch(changes.conversation(message.conversationId));
    changes.tell(conversation, { type: 'MESSAGE_UPDATED', messageId: message.id, occurredAt: tx.now });
  });
  endLease(tx, unsent.id);
}

async function change(
  tx: Transaction,
  { id, conversationId }: Pick<Unsent, 'id' | 'conversationId'>,
  rules: Rules,
  work: (changes: Changes, message: MessageRow) => void,
): Promise<void> {
  const [conversation, [message]] = await Promise.all([
    lockConversation(tx, conversationId),
    findMessages(tx, [], [id]),
  ]);
  if (!message) return;
  // Its customer turned out to be another one while it was on its way.
  if (message.conversationId !== conversationId) return change(tx, message, rules, work);
  const changes = new Changes(tx.now, rules);
  changes.hold([conversation]);
  work(changes, message);
  changes.saveMessages(tx);
  await changes.finish(tx);
}
