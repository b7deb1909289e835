import type { Database } from '../db/database.ts';
import { addSendJob, addUploadJob } from '../db/statements/jobs.ts';
import { findMessages } from '../db/statements/messages.ts';
import { pauseSending, type BudgetScope } from '../db/statements/send-budget.ts';
import { findSendFiles, type SendFile } from '../db/statements/send-files.ts';
import {
  claimMessage,
  findOldestUnsent,
  hasQueued,
  leaseMessage,
  pauseConversation,
  putMessageBack,
  type Unsent,
} from '../db/statements/send-queue.ts';
import { transaction, type Transaction } from '../db/transaction.ts';
import type { Rules } from './changes.ts';
import { openChannelProblem, type NewChannelProblem } from './channel-problems.ts';
import { lockConversation } from './messages.ts';
import type { Problem } from './outgoing.ts';
import type { Numbers } from './receiving/delivery.ts';
import { accept, loseAnswer, refuse } from './send-fates.ts';
import { reuseMedia, UPLOAD_LEASE_MS } from './sent-media.ts';
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
  | { kind: 'send'; message: Unsent; files: SendFile[] }
  /** Something before it is not settled, or a file is on its way; look again at this instant (UTC). */
  | { kind: 'wait'; until: Date }
  | { kind: 'done' };

/** Who has to wait after a temporary refusal, beside the message itself. */
export type Pause = { scope: 'recipient' | BudgetScope; until: Date };

/** How the call ended, in our words. */
export type SendResult =
  | { kind: 'accepted'; providerId: string; waId: string | null }
  /** Refused for now. */
  | { kind: 'later'; notBefore: Date | null; pause: Pause | null; problem: Problem }
  /** Refused because of the channel: the message waits until that is settled. */
  | { kind: 'stopped'; trouble: NewChannelProblem; problem: Problem }
  | { kind: 'refused'; problem: Problem }
  | { kind: 'unknown' };

/**
 * Takes the oldest unsent message under a committed lease, so that no second process and no restart sends it again.
 * Order is kept: nothing overtakes a message whose fate is still open.
 */
export async function takeTurn(db: Database, conversationId: string, settings: SendSettings): Promise<Turn> {
  return transaction(db, async (tx) => {
    const [conversation, waiting] = await Promise.all([
      lockConversation(tx, conversationId),
      findOldestUnsent(tx, conversationId),
    ]);
    if (conversation.sendPausedUntil && conversation.sendPausedUntil > tx.now)
      return { kind: 'wait', until: conversation.sendPausedUntil };
    for (const unsent of waiting) {
      const turn = await turnOf(tx, unsent, settings);
      if (turn) return turn;
    }
    return { kind: 'done' };
  });
}

/** Null where the message does not hold up the ones behind it. */
async function turnOf(tx: Transaction, unsent: Unsent, settings: SendSettings): Promise<Turn | null> {
  const isLeased = unsent.leaseUntil !== null && unsent.leaseUntil > tx.now;
  if (isLeased && unsent.sendState !== 'UNKNOWN') return { kind: 'wait', until: unsent.leaseUntil ?? tx.now };
  if (unsent.sendState === 'SENDING') {
    await loseAnswer(tx, unsent, settings.rules);
    return { kind: 'wait', until: new Date(tx.now.getTime() + settings.unknownWaitMs) };
  }
  if (unsent.sendState === 'UNKNOWN') {
    const until = new Date((unsent.leaseUntil ?? tx.now).getTime() + settings.unknownWaitMs);
    return until > tx.now ? { kind: 'wait', until } : null;
  }
  if (unsent.notBefore && unsent.notBefore > tx.now) return { kind: 'wait', until: unsent.notBefore };
  if (isTooLate(unsent, tx.now)) {
    await refuse(tx, unsent, windowClosed, settings.rules);
    return null;
  }
  return (await uploadFirst(tx, unsent)) ?? claimTurn(tx, unsent, settings);
}

const windowClosed: Problem = {
  code: null,
  title: 'WINDOW_CLOSED',
  detail: 'The 24-hour window closed before the message was sent.',
};

function isTooLate(unsent: Unsent, now: Date): boolean {
  return unsent.kind !== 'TEMPLATE' && !isWindowOpen(unsent.windowExpiresAt, now);
}

/** A file that Meta does not have goes there by a job of its own; the conversation waits, nobody else does. */
async function uploadFirst(tx: Transaction, unsent: Unsent): Promise<Turn | null> {
  if (unsent.content.type === 'text') return null;
  const missing = await filesToUpload(tx, unsent);
  const [file] = missing;
  if (!file) return null;
  const until = new Date(tx.now.getTime() + UPLOAD_LEASE_MS);
  await leaseMessage(tx, unsent.id, until);
  await addUploadJob(tx, { attachmentId: file.id, messageId: unsent.id });
  return { kind: 'wait', until };
}

async function filesToUpload(tx: Transaction, unsent: Unsent): Promise<SendFile[]> {
  const missing: SendFile[] = [];
  for (const file of await findSendFiles(tx, unsent.id))
    if (!(await reuseMedia(tx, file, unsent.phoneNumberId))) missing.push(file);
  return missing;
}

async function claimTurn(tx: Transaction, unsent: Unsent, settings: SendSettings): Promise<Turn> {
  const files = unsent.content.type === 'text' ? [] : await findSendFiles(tx, unsent.id);
  claimMessage(tx, unsent.id, new Date(tx.now.getTime() + settings.leaseMs));
  return { kind: 'send', message: { ...unsent, attempts: unsent.attempts + 1 }, files };
}

/**
 * Writes down what became of the call. What waited for the provider id is applied at once. True where the next message
 * of the conversation is to be taken: what is queued after this look has a job of its own.
 */
export async function recordResult(
  db: Database,
  unsent: Unsent,
  result: SendResult,
  settings: SendSettings,
  numbers: Numbers,
): Promise<boolean> {
  return transaction(db, async (tx) => {
    switch (result.kind) {
      case 'later':
        await putOff(tx, unsent, result);
        return false;
      case 'stopped':
        await stop(tx, unsent, result);
        return false;
      case 'accepted':
        await accept(tx, unsent, result.providerId, settings.rules, numbers);
        break;
      case 'refused':
        await refuse(tx, unsent, result.problem, settings.rules);
        break;
      case 'unknown':
        await loseAnswer(tx, unsent, settings.rules);
    }
    return hasQueued(tx, unsent.conversationId);
  });
}

/** Fails replies whose window closed while they waited; gives back how many conversations had any. */
export async function failExpiredReplies(db: Database, conversationIds: string[], rules: Rules): Promise<void> {
  for (const conversationId of conversationIds)
    await transaction(db, async (tx) => {
      await lockConversation(tx, conversationId);
      const unsent = await findOldestUnsent(tx, conversationId);
      const late = unsent.filter((one) => one.sendState === 'QUEUED' && isTooLate(one, tx.now));
      for (const one of late) await refuse(tx, one, windowClosed, rules);
    });
}

/** A file that cannot be brought to Meta fails its message. */
export async function failMessage(db: Database, messageId: string, problem: Problem, rules: Rules): Promise<void> {
  await transaction(db, async (tx) => {
    const [message] = await findMessages(tx, [], [messageId]);
    if (message) await refuse(tx, message, problem, rules);
  });
}

async function putOff(
  tx: Transaction,
  unsent: Unsent,
  { notBefore, pause, problem }: Extract<SendResult, { kind: 'later' }>,
): Promise<void> {
  await lockConversation(tx, unsent.conversationId);
  await putMessageBack(tx, unsent.id, notBefore, problem);
  if (pause?.scope === 'recipient') await pauseConversation(tx, unsent.conversationId, pause.until);
  else if (pause) await pauseSending(tx, pause.scope, pause.until, problem.title);
  addSendJob(tx, unsent.conversationId, notBefore ?? pause?.until ?? tx.now);
}

async function stop(
  tx: Transaction,
  unsent: Unsent,
  { trouble, problem }: Extract<SendResult, { kind: 'stopped' }>,
): Promise<void> {
  await lockConversation(tx, unsent.conversationId);
  await putMessageBack(tx, unsent.id, null, problem);
  await openChannelProblem(tx, trouble);
}
