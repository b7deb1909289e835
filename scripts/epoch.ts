import type pg from 'pg';
import { openDatabase } from '../src/db/database.ts';
import { startEmbeddedPostgres } from '../src/db/embedded.ts';
import { reach } from '../src/db/prepare.ts';
import { countOtherConnections } from '../src/db/statements/other-connections.ts';
import { doubtWaitingSends } from '../src/db/statements/send-queue.ts';
import { beginEpoch, readStreamHead } from '../src/db/stream-head.ts';
import { transaction } from '../src/db/transaction.ts';
import { loadEnv } from '../src/env.ts';
import { createLog } from '../src/log.ts';
import { COMMAND, recordAudit } from '../src/services/audit.ts';

/**
 * For after a restore of the database, before the servers start: cursors of before are refused from now on, so that no
 * client goes on over a gap, and what waited to be sent is not sent by itself, because it may have been sent since.
 */
try {
  const env = loadEnv();
  await using undo = new AsyncDisposableStack();
  const log = createLog({ logLevel: 'warn', logFormat: env.logFormat });
  const url = env.databaseUrl ?? undo.use(await startEmbeddedPostgres({ dataDir: env.dataDir, log })).url;
  await reach(url, requireAlone);
  const db = undo.use(openDatabase({ url, poolSize: 2, applicationName: 'cdesk-chats-epoch' }));
  const before = await readStreamHead(db.pool);
  await beginEpoch(db.pool, before.epoch);
  const doubtful = await transaction(db, async (tx) => {
    const count = await doubtWaitingSends(tx);
    await recordAudit(tx, COMMAND, { action: 'EPOCH_BEGUN', detail: `${count} messages in doubt` });
    return count;
  });
  const { epoch, seq } = await readStreamHead(db.pool);
  console.log(`The event stream is in epoch ${epoch} from event ${seq} on; epoch ${before.epoch} has ended.`);
  console.log(`Messages that waited and may have been sent since the back-up: ${doubtful}. Their outcome is unknown.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** A process that runs would send what this is to hold back. */
async function requireAlone(client: pg.Client): Promise<void> {
  if (process.argv.includes('--force')) return;
  const others = await countOtherConnections(client);
  if (others > 0)
    throw new Error(
      `Others hold ${others} connections to the database: stop every process of the service first (--force goes on).`,
    );
}
