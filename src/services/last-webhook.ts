import type { Database } from '../db/database.ts';

export type LastWebhook = { note: (receivedAt: Date) => void; flush: () => Promise<void> };

const EVERY_MS = 5_000;

/** When Meta was heard of last, for the settings page. Every process writes it once in a while: one row serves them all. */
export function createLastWebhook(db: Database): LastWebhook {
  let newest: Date | null = null;
  let writtenAt = 0;
  let running = Promise.resolve();

  return {
    note(receivedAt) {
      newest = receivedAt;
      if (Date.now() - writtenAt >= EVERY_MS) write();
    },
    flush() {
      write();
      return running;
    },
  };

  function write(): void {
    const at = newest;
    if (!at) return;
    newest = null;
    writtenAt = Date.now();
    const text = 'UPDATE settings SET last_webhook_at = greatest(last_webhook_at, $1) WHERE id = 1';
    running = db.pool.query(text, [at]).then(ignore, ignore);
  }
}

/** Only for show: where it could not be written, the next webhook tries again. */
function ignore(): void {}
