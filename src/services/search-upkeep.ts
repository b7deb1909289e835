import type { Database } from '../db/database.ts';
import { indexNewMessages } from '../db/statements/message-search.ts';

export type SearchUpkeep = { note: (messages: number) => void };

/** Fewer cost more each: what many texts have in common is written once. */
const WORTH_INDEXING = 200;

/** Brings new messages into the index for searches between the transactions that store them. */
export function createSearchUpkeep(db: Database): SearchUpkeep {
  let waiting = 0;
  let isRunning = false;
  return {
    note(messages) {
      waiting += messages;
      if (waiting >= WORTH_INDEXING && !isRunning) void run();
    },
  };

  async function run(): Promise<void> {
    isRunning = true;
    waiting = 0;
    // Where it fails, the transaction that finds the list full does it.
    await indexNewMessages(db.pool).catch(() => undefined);
    isRunning = false;
  }
}
