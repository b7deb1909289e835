import type { Database } from '../db/database.ts';
import type { MessageRow } from '../db/rows.ts';
import { takeParkedItems } from '../db/statements/parked-items.ts';
import { addSendJob } from '../db/statements/jobs.ts';
import { findMessages } from '../db/statements/messages.ts';
import { claimMessage, findOldestUnsent, type Unsent } from '../db/statements/send-queue.ts';
import { transaction, type Transaction } from '../db/transaction.ts';
import type { Item } from './receiving/items.ts';
import { Changes, type Rules } from './changes.ts';
import { lockConversation } from './messages.ts';
import { changeStatus, noteAccepted, type Problem } from './outgoing.ts';
import type { Numbers } from './receiving/delivery.ts';
import { receiveItems, revived } from './receiving/receive.ts';
import { isWindowOpen } from './window.ts';

export type SendSettings = {
  rules: Rules;
  /** How long a lost answer is waited for before the next message of the conversation goes. */
  unknownWaitMs: number;
  /** How long one call may take; a lease that ran out means that the process died with it. */
  leaseMs: number;
};

/** What the job is to do next for one conversation. */
export type Turn =
  | { kind: 'send'; message: Unsent }
  /** Something before it is not settled; look again at this instant (UTC). */
  | { kind: 'wait'; until: Date }
  | { kind: 'done' };

/** How the call ended, in our words. */
export type SendResult =
  | { kind: 'accepted'; providerId: string; waId: string | null }
  | { kind: 'later'; at: Date; problem: Problem }
  | { kind: 'refused'; problem: Problem }
  | { kind: 'unknown' };

/**
 * Takes the oldest unsent message under a committed lease, so that no second process and no restart sends it again.
 * Order is kept: nothing overtakes a message whose fate is still open.
 */
export async function takeTurn(db: Database, conversationId: string, settings: SendSettings): Promise<Turn> {
  return transaction(db, async (tx) => {
    const conversation = await lockConversation(tx, conversationId);
    if (conversation.sendPausedUntil && conversation.sendPausedUntil > tx.now)
      return { kind: 'wait', until: conversation.sendPausedUntil };
    for (const unsent of await findOldestUnsent(tx, conversationId)) {
      const turn = await turnOf(tx, unsent, settings);
      if (turn) return turn;
    }
    return { kind: 'done' };
  });
}

/** Null where the message does not hold up the ones behind it. */
async function turnOf(tx: Transaction, unsent: Unsent, settings: SendSettings): Promise<Turn | null> {
  if (unsent.sendState === 'SENDING' && unsent.leaseUntil && unsent.leaseUntil > tx.now)
    return { kind: 'wait', until: unsent.leaseUntil };
  if (unsent.sendState === 'SENDING') {
    await loseAnswer(tx, unsent, settings.rules);
    return { kind: 'wait', until: new Date(tx.now.getTime() + settings.unknownWaitMs) };
  }
  if (unsent.sendState === 'UNKNOWN') {
    const until = new Date((unsent.leaseUntil ?? tx.now).getTime() + settings.unknownWaitMs);
    return until > tx.now ? { kind: 'wait', until } : null;
  }
  if (unsent.notBefore && unsent.notBefore > tx.now) return { kind: 'wait', until: unsent.notBefore };
  if (unsent.kind !== 'TEMPLATE' && !isWindowOpen(unsent.windowExpiresAt, tx.now)) {
    await refuse(
      tx,
      unsent,
      { code: null, title: 'WINDOW_CLOSED', detail: 'The 24-hour window closed before the message was sent.' },
      settings.rules,
    );
    return null;
  }
  await claimMessage(tx, unsent.id, new Date(tx.now.getTime() + settings.leaseMs));
  return { kind: 'send', message: unsent };
}

/** Writes down what became of the call. What waited for the provider id is applied at once. */
export async function recordResult(
  db: Database,
  unsent: Unsent,
  result: SendResult,
  settings: SendSettings,
  numbers: Numbers,
): Promise<void> {
  await transaction(db, async (tx) => {
    await lockConversation(tx, unsent.conversationId);
    if (result.kind === 'accepted') return accept(tx, unsent, result.providerId, settings.rules, numbers);
    if (result.kind === 'refused') return refuse(tx, unsent, result.problem, settings.rules);
    if (result.kind === 'unknown') return loseAnswer(tx, unsent, settings.rules);
    await tx.query(
      `UPDATE message SET send_state = 'QUEUED', send_not_before = $2, send_lease_until = NULL,
         failure_code = $3, failure_title = $4, failure_detail = $5 WHERE id = $1 AND send_state = 'SENDING'`,
      [unsent.id, result.at, result.problem.code, result.problem.title, result.problem.detail],
    );
    await addSendJob(tx, unsent.conversationId, result.at);
  });
}

async function accept(
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

async function refuse(tx: Transaction, unsent: Unsent, problem: Problem, rules: Rules): Promise<void> {
  await change(tx, unsent, rules, (changes, message) => {
    if (message.status !== 'PENDING' && message.status !== 'SENT') return;
    message.sendState = 'REFUSED';
    changeStatus(changes, message, 'FAILED', { previous: message.status, at: tx.now, problem });
  });
}

/** It may have been sent: only a status with our id, or the operator, can tell. */
async function loseAnswer(tx: Transaction, unsent: Unsent, rules: Rules): Promise<void> {
  await change(tx, unsent, rules, (changes, message) => {
    if (message.sendState !== 'SENDING') return;
    message.sendState = 'UNKNOWN';
    message.outcomeUnknown = true;
    message.failureTitle = 'The answer of WhatsApp was lost: the message may have been sent.';
    changes.change(message);
    const conversation = changes.touch(changes.conversation(message.conversationId));
    changes.tell(conversation, { type: 'MESSAGE_UPDATED', messageId: message.id, occurredAt: tx.now });
  });
}

async function change(
  tx: Transaction,
  unsent: Unsent,
  rules: Rules,
  work: (changes: Changes, message: MessageRow) => void,
): Promise<void> {
  const conversation = await lockConversation(tx, unsent.conversationId);
  const [message] = await findMessages(tx, [], [unsent.id]);
  if (!message) return;
  const changes = new Changes(tx.now, rules);
  changes.hold([conversation]);
  work(changes, message);
  await changes.saveMessages(tx);
  await changes.finish(tx);
}
