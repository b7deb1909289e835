import type { Database } from '../db/database.ts';
import type { Log } from '../log.ts';
import type { Rules } from '../services/changes.ts';
import type { ChatModule, ReadModule } from '../services/module.ts';
import { announceWindows } from '../services/windows.ts';

const SWEEP_MS = 1_000;

/** Windows that come due with time and have no event to start them. */
export async function startSweeper(options: {
  db: Database;
  readModule: ReadModule;
  rulesOf: (module: ChatModule) => Rules;
  log: Log;
}): Promise<AsyncDisposable> {
  const { db, readModule, rulesOf, log } = options;
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
