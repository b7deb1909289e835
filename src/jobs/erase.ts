import type { Task } from 'graphile-worker';
import { z } from 'zod';
import type { Database } from '../db/database.ts';
import type { LiveTransport } from '../events/live-transport.ts';
import type { FileStore } from '../files/file-store.ts';
import type { Log } from '../log.ts';
import { eraseFromDeliveries } from '../services/privacy/erase.ts';

const work = z.object({ identifiers: z.array(z.string()), storageKeys: z.array(z.string()) });

/** What an erasure leaves to do beside the database's transaction: raw deliveries, files, and the live stream. */
export function createEraseTask(options: { db: Database; files: FileStore; transport: LiveTransport; log: Log }): Task {
  const { db, files, transport, log } = options;
  return async (payload) => {
    const { identifiers, storageKeys } = work.parse(payload);
    await eraseFromDeliveries(db, identifiers);
    for (const key of storageKeys) await files.remove(key);
    await transport.forget();
    log.info({ files: storageKeys.length }, 'an erasure is complete');
  };
}
