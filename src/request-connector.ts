import { createConnectorClient } from './connector/client.ts';
import { createConnectorRoute, type ConnectorRoute } from './connector/route.ts';
import type { Database } from './db/database.ts';
import type { Env } from './env.ts';
import { createMirrorTask } from './jobs/mirror-request.ts';
import { startUpkeep } from './jobs/upkeep.ts';
import { startWorker } from './jobs/worker.ts';
import type { Log } from './log.ts';
import { builtInStore, type RequestConnector } from './services/connector.ts';
import { mirroringStore, requeueUnmirrored } from './services/mirror/outgoing.ts';
import type { ReadModule } from './services/module.ts';
import type { Tracing } from './tracing/tracing.ts';

const CONCURRENT_MIRRORS = 2;
const REQUEUE_MS = 60 * 60_000;

/** How requests are kept here, and what connects them with CDESK where it is there. */
export type RequestConnection = {
  store: RequestConnector;
  /** Null where there is no CDESK. */
  route: ConnectorRoute | null;
  /** Workers of its own, so that a slow CDESK holds up no other job. */
  startJobs(onEnded: (why: string) => void): Promise<AsyncDisposable | null>;
};

export function connectRequests(options: {
  db: Database;
  env: Pick<Env, 'connectorUrl' | 'connectorSecret' | 'connectorTimeoutMs'>;
  readModule: ReadModule;
  tracing: Tracing;
  log: Log;
}): RequestConnection {
  const { db, env, readModule, tracing, log } = options;
  const { connectorUrl: url, connectorSecret: secret, connectorTimeoutMs: timeoutMs } = env;
  if (!url || !secret) return { store: builtInStore, route: null, startJobs: () => Promise.resolve(null) };
  return {
    store: mirroringStore,
    route: createConnectorRoute({ db, readModule, secret, log }),
    async startJobs(onEnded) {
      await using parts = new AsyncDisposableStack();
      const client = parts.use(createConnectorClient({ url, secret, timeoutMs }));
      const tasks = { 'mirror-request': createMirrorTask({ db, client, log }) };
      parts.use(await startWorker({ db, tasks, concurrency: CONCURRENT_MIRRORS, onEnded, tracing, log }));
      const chores = [{ name: 'requests that CDESK lacks', run: () => requeueUnmirrored(db) }];
      parts.use(startUpkeep({ chores, everyMs: REQUEUE_MS, log }));
      return parts.move();
    },
  };
}
