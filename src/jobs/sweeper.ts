import type { Database } from '../db/database.ts';
import { addSendJob } from '../db/statements/jobs.ts';
import { findConversationsToSend } from '../db/statements/send-queue.ts';
import { transaction } from '../db/transaction.ts';
import type { Log } from '../log.ts';
import type { Rules } from '../services/changes.ts';
import type { ChatModule, ReadModule } from '../services/module.ts';
import { announceWindows } from '../services/windows.ts';

const SWEEP_MS = 1_000;

/** What comes due with time and has no event to start it: windows, and sends that a dead process left behind. */
export async function startSweeper(options: {
  db: Database;
  readModule: ReadModule;
  rulesOf: (module: ChatModule) => Rules;
  log: Log;
}): Promise<AsyncDisposable> {
  const { db, readModule, rulesOf, log } = options;
  await requeueSends(db);
  let isStopped = false;
  let running = Promise.resolve();
  const timer = setInterval(() => void (running = running.then(sweep)), SWEEP_MS);

  async function sweep(): Promise<void> {
    if (isStopped) return;
    try {
      await announceWindows(db, rulesOf(await readModule.current()));
    } catch (error) {
      log.warn({ err: error }, 'a sweep failed; the next one tries again');
    }
  }

  return {
    async [Symbol.asyncDispose]() {
      isStopped = true;
      clearInterval(timer);
      await running;
    },
  };
}

/** A job of a process that was killed stays locked for hours: its conversation gets another one. */
async function requeueSends(db: Database): Promise<void> {
  await transaction(db, async (tx) => {
    for (const conversationId of await findConversationsToSend(tx)) await addSendJob(tx, conversationId);
  });
}
