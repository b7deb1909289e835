import { createConnectionCheck } from '../connection-check.ts';
import { openDatabase } from '../db/database.ts';
import { startEmbeddedPostgres } from '../db/embedded.ts';
import { prepareDatabase, requirePrepared } from '../db/prepare.ts';
import { seedDemo } from '../demo-data.ts';
import type { Env } from '../env.ts';
import { createHub } from '../events/hub.ts';
import { createInProcessTransport } from '../events/live-transport.ts';
import { createRedisTransport } from '../events/redis-transport.ts';
import { createFileStore } from '../files/file-store.ts';
import { createFileLinks } from '../files/links.ts';
import { createTemplateSync } from '../jobs/sync-templates.ts';
import { startUpkeep } from '../jobs/upkeep.ts';
import type { Log } from '../log.ts';
import { createMetaClient } from '../meta/client.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { startOwnSandbox } from '../own-sandbox.ts';
import { createConversationPresence } from '../presence/conversation-presence.ts';
import { connectRequests } from '../request-connector.ts';
import { createRulesOf } from '../rules.ts';
import { keyringOf, watchModule } from '../services/module-watch.ts';
import { resealSecrets } from '../services/settings.ts';
import { CHECK_MS, createSecretsCheck } from '../services/unreadable-secrets.ts';
import { noteStatuses } from '../tracing/statuses.ts';
import { createTracing } from '../tracing/tracing.ts';
import { WEBHOOK_PATH } from '../webhooks/whatsapp.ts';

/** Where a process is found. With port 0 that is known once it listens; nobody asks before. */
export type Addresses = { own: string; public: string };

/** What a process of any role stands on. */
export type Core = Awaited<ReturnType<typeof startCore>>;

/** Begins with the database, because the settings are in it, and ends with it: `undo` runs backwards. */
export async function startCore({ env, log }: { env: Env; log: Log }, undo: AsyncDisposableStack) {
  const tracing = undo.use(await createTracing(env, log));
  const url = env.databaseUrl ?? undo.use(await startEmbeddedPostgres({ dataDir: env.dataDir, log })).url;
  await (env.migrateAtStart ? prepareDatabase(url) : requirePrepared(url));
  const db = undo.use(openDatabase({ url, poolSize: env.databasePoolSize }));
  if (env.nodeEnv !== 'production') await seedDemo(db, env);
  await resealSecrets(db, keyringOf(env));
  const readModule = undo.use(await watchModule(db, env, log));
  const secrets = { name: 'secrets', run: createSecretsCheck({ db, readModule, log }) };
  undo.use(startUpkeep({ chores: [secrets], everyMs: CHECK_MS, log }));

  const transport = env.redisUrl ? createRedisTransport({ url: env.redisUrl, log }) : createInProcessTransport();
  const hub = undo.use(await createHub({ pool: db.pool, transport, log }));
  const metrics = createMetrics();
  db.presentTrace = () => tracing.present();
  db.onCommitted = (events) => {
    metrics.committed(events);
    noteStatuses(tracing, events);
    hub.publish(events);
  };

  const addresses: Addresses = { own: '', public: env.publicUrl };
  const files = await createFileStore(env);
  const fileLinks = createFileLinks({ publicUrl: () => addresses.public, keys: keyringOf(env) });
  const sandbox = await startOwnSandbox({ env, readModule, webhookUrl: () => `${addresses.own}${WEBHOOK_PATH}`, log });
  if (sandbox) undo.use(sandbox);
  const meta = undo.use(
    createMetaClient({
      baseUrl: sandbox?.url ?? env.metaApiUrl,
      version: env.metaApiVersion,
      timeoutMs: env.metaTimeoutMs,
      tracing,
      log,
    }),
  );
  const presence = undo.use(
    createConversationPresence({ redisUrl: env.redisUrl, holdMs: env.presenceSeconds * 1000, log }),
  );
  return {
    env,
    log,
    tracing,
    metrics,
    addresses,
    db,
    readModule,
    rulesOf: createRulesOf(env),
    transport,
    hub,
    files,
    fileLinks,
    sandbox,
    meta,
    syncTemplates: createTemplateSync({ db, meta, readModule, log }),
    checkConnection: createConnectionCheck(meta),
    presence,
    requests: connectRequests({ db, env, readModule, tracing, log }),
  };
}
