import type { Task } from 'graphile-worker';
import type { Database } from '../db/database.ts';
import type { Env } from '../env.ts';
import type { FileStore } from '../files/file-store.ts';
import type { RequestConnector } from '../services/connector.ts';
import { enforceRetention } from '../services/privacy/retention.ts';

/** Once an hour, by one process of the deployment. */
export const HOURLY_RETENTION = '47 * * * * retention ?max=3';

export function createRetentionTask(options: {
  db: Database;
  env: Env;
  files: FileStore;
  connector: RequestConnector;
}): Task {
  const { db, env, files, connector } = options;
  const days = {
    deliveries: env.deliveryRetentionDays,
    media: env.mediaRetentionDays,
    messages: env.messageRetentionDays,
    audit: env.auditRetentionDays,
  };
  return () => enforceRetention({ db, days, connector, removeFile: (key) => files.remove(key) });
}
