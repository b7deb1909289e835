import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAuthenticate, hasPermission, noteSeen, type Viewer } from './auth.ts';
import type { Context } from './context.ts';
import { createConnectionCheck } from './connection-check.ts';
import { CONNECTOR_PATH } from './connector/route.ts';
import { openDatabase, type Database } from './db/database.ts';
import { startEmbeddedPostgres } from './db/embedded.ts';
import { missingMigrations } from './db/migrations.ts';
import { prepareDatabase } from './db/prepare.ts';
import { seedDemo } from './demo-data.ts';
import type { Env } from './env.ts';
import { createAccessWatch } from './events/access-watch.ts';
import { createHub } from './events/hub.ts';
import { createInProcessTransport } from './events/live-transport.ts';
import { createRedisTransport } from './events/redis-transport.ts';
import { createStreams, type Streams } from './events/streams.ts';
import { createFileStore } from './files/file-store.ts';
import { createFileLinks } from './files/links.ts';
import { createDownloadRoute, findAttachmentFile, findExportFile } from './http/downloads.ts';
import { limitBodyTime } from './http/body-time.ts';
import { createHealthRoute } from './http/health.ts';
import { createMetricsRoute } from './http/metrics.ts';
import { numbersOf } from './jobs/send.ts';
import { startJobs } from './jobs/start.ts';
import { forgetOldEvents } from './jobs/stream-retention.ts';
import { createTemplateSync } from './jobs/sync-templates.ts';
import { startUpkeep } from './jobs/upkeep.ts';
import type { Log } from './log.ts';
import { measureAnswer } from './metrics/answers.ts';
import { addGauges } from './metrics/gauges.ts';
import { createMetrics } from './metrics/metrics.ts';
import { createMetaClient } from './meta/client.ts';
import { startOwnSandbox } from './own-sandbox.ts';
import { createConversationPresence } from './presence/conversation-presence.ts';
import { startHeartbeats } from './presence/heartbeats.ts';
import { connectRequests } from './request-connector.ts';
import { createRulesOf } from './rules.ts';
import type { Sandbox } from './sandbox/options.ts';
import { createLoaders } from './schema/loaders.ts';
import { followingRefusal } from './schema/rights.ts';
import { compilableSchema, schema } from './schema/schema.ts';
import { createRecordRefusal } from './services/audit.ts';
import { createLastWebhook } from './services/last-webhook.ts';
import { keyringOf, watchModule } from './services/module-watch.ts';
import { applyArrivedItems, dropOldItems } from './services/receiving/parked.ts';
import { resealSecrets } from './services/settings.ts';
import { traceAnswer } from './tracing/answers.ts';
import { noteStatuses } from './tracing/statuses.ts';
import { createTracing } from './tracing/tracing.ts';
import { createAddressOf } from './transport/address.ts';
import { createConnectionLimits } from './transport/connection-count.ts';
import { createGraphqlRoute, GRAPHQL_PATH } from './transport/http.ts';
import { createOperations } from './execution/operation.ts';
import { createRates } from './execution/rates.ts';
import { readTrustedDocuments } from './execution/trusted-documents.ts';
import { createSseRoute } from './transport/sse.ts';
import { createTickets } from './transport/ticket.ts';
import { createWsServer } from './transport/ws.ts';
import { createIngest } from './webhooks/ingest.ts';
import { applyWaitingDeliveries } from './webhooks/waiting.ts';
import { createWriter } from './webhooks/writer.ts';
import { createWebhookRoute, WEBHOOK_PATH } from './webhooks/whatsapp.ts';

export type RunningServer = AsyncDisposable & {
  /** Where it listens, e.g. http://127.0.0.1:4000. */
  url: string;
  sandbox: Sandbox | null;
};

export type ServerOptions = { env: Env; log: Log };

const TIMEOUT_CHECK_MS = 1_000;
const FORGET_MS = 60_000;
const DRAIN_SHARE = 0.3;
/** Everyone comes back at once after a restart: who does not fit into Node's 511 would wait a second and knock again. */
const MAX_KNOCKING = 4_096;

/** Puts the parts together. Disposing stops accepting, finishes what is begun, sends clients elsewhere, and ends the pools. */
export async function startServer({ env, log }: ServerOptions): Promise<RunningServer> {
  await using undo = new AsyncDisposableStack();
  const tracing = undo.use(await createTracing(env, log));
  const url = env.databaseUrl ?? undo.use(await startEmbeddedPostgres({ dataDir: env.dataDir, log })).url;
  if (env.migrateAtStart) await prepareDatabase(url);
  const db = undo.use(openDatabase({ url, poolSize: env.databasePoolSize }));
  if (env.nodeEnv !== 'production') await seedDemo(db, env);

  await resealSecrets(db, keyringOf(env));
  const readModule = undo.use(await watchModule(db, env, log));
  const rulesOf = createRulesOf(env);
  const recordRefusal = createRecordRefusal(db);
  const transport = env.redisUrl ? createRedisTransport({ url: env.redisUrl, log }) : createInProcessTransport();
  const hub = undo.use(await createHub({ pool: db.pool, transport, log }));
  const metrics = createMetrics();
  db.presentTrace = () => tracing.present();
  db.onCommitted = (events) => {
    metrics.committed(events);
    noteStatuses(tracing, events);
    hub.publish(events);
  };

  let { publicUrl } = env;
  const files = await createFileStore(env);
  const fileLinks = createFileLinks({ publicUrl: () => publicUrl, keys: keyringOf(env) });

  // Known once it listens; nobody asks for it before.
  let base = '';
  const sandbox = await startOwnSandbox({ env, readModule, webhookUrl: () => `${base}${WEBHOOK_PATH}`, log });
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
  const syncTemplates = createTemplateSync({ db, meta, readModule, log });
  const checkConnection = createConnectionCheck(meta);

  const presence = undo.use(
    createConversationPresence({ redisUrl: env.redisUrl, holdMs: env.presenceSeconds * 1000, log }),
  );
  const requests = connectRequests({ db, env, readModule, tracing, log });
  const createContext = (viewer: Viewer | null, requestId: string, connectionId: string | null = null): Context => ({
    viewer,
    requestId,
    connectionId,
    presence,
    db,
    env,
    log,
    hub,
    files,
    fileLinks,
    readModule,
    checkConnection,
    webhookUrl: () => `${publicUrl}${WEBHOOK_PATH}`,
    recordRefusal,
    rulesOf,
    syncTemplates,
    connector: requests.store,
    loaders: createLoaders(db, viewer),
  });
  const authenticate = noteSeen(createAuthenticate(db, env), (viewer) => heartbeats.seen(viewer));
  const rates = undo.use(
    createRates({
      redisUrl: env.redisUrl,
      perMinute: env.rateLimitPerMinute,
      perAddressAndMinute: env.addressRateLimitPerMinute,
      webhooksPerSecond: env.webhookRateLimitPerSecond,
    }),
  );
  const operations = createOperations({
    schema,
    compilableSchema,
    complexity: env.maxComplexity,
    documents: readTrustedDocuments(env.trustedDocuments, env.trustedDocumentsOnly),
    rates,
    mayIntrospect: (viewer) => mayIntrospect(env, viewer),
    onError: (code, limit) => metrics.refused(code, limit),
    tracing,
    log,
  });
  const streams: Streams = undo.use(
    createStreams({
      hub,
      schema,
      operations,
      createContext,
      lookAtAccess: (): Promise<void> => access.look(),
      progressSeconds: env.streamProgressSeconds,
      tracing,
      log,
    }),
  );
  const tickets = createTickets(env.encryptionKey);
  const isOriginAllowed = originCheck(env);
  const addressOf = createAddressOf(env.trustedProxies);
  const limits = createConnectionLimits({ perViewer: env.maxSocketsPerViewer, perAddress: env.maxSocketsPerAddress });
  const slowClientMs = env.slowClientSeconds * 1000;
  const common = {
    schema,
    operations,
    rates,
    authenticate,
    createContext,
    tickets,
    isOriginAllowed,
    addressOf,
    limits,
    log,
  };
  const ws = undo.use(
    createWsServer({
      ...common,
      slowClientMs,
      streams,
      onClosed: (connectionId) => presence.leave(connectionId),
    }),
  );
  const sse = createSseRoute({ ...common, slowClientMs, streams });
  const connections = () => [...ws.connections(), ...sse.connections()];
  const access = undo.use(createAccessWatch({ db, connections, lookAtModule: () => readModule.refresh(), log }));
  const heartbeats = undo.use(startHeartbeats({ db, connections, onlineMs: env.presenceSeconds * 1000, log }));
  readModule.follow((module) => {
    const refusal = followingRefusal(module);
    if (refusal) streams.endAll(refusal);
  });

  const ingestSettings = async () => {
    const module = await readModule.current();
    const enabled = module.licensed && module.settings.enabled;
    return { numbers: numbersOf(module), rules: rulesOf(module), enabled };
  };
  const lastWebhook = createLastWebhook(db);
  const ingest = createIngest({
    db,
    log,
    settings: ingestSettings,
    onStored: lastWebhook.note,
    onBatch: (batch) => metrics.stored(batch),
    tracing,
  });
  let isStopping = false;
  const webhook = createWebhookRoute({
    module: readModule,
    ingest,
    secondsToWait: (request) => rates.webhook(addressOf(request)),
    log,
  });
  const graphql = createGraphqlRoute({ ...common, files, hasGraphiql: env.graphiql });
  const health = createHealthRoute({
    problem: () => problemOf(db),
    redis: () => (env.redisUrl === undefined ? 'not used' : transport.isHealthy() ? 'connected' : 'away'),
    isStopping: () => isStopping,
  });
  addGauges(metrics.registry, {
    db,
    log,
    hubSequence: () => hub.head().seq,
    sockets: () => [...ws.connections()].length,
    eventSources: () => [...sse.connections()].length,
    streams: () => streams.size,
  });
  const showMetrics = createMetricsRoute({ registry: metrics.registry, token: env.metricsToken, addressOf });
  const sources = { attachments: findAttachmentFile(db), exports: findExportFile(db) };
  const download = createDownloadRoute({ files, links: fileLinks, sources, isOriginAllowed, log });

  const http = createServer(
    { connectionsCheckingInterval: TIMEOUT_CHECK_MS },
    (request, response) => void traceAnswer(tracing, request, response, () => route(request, response)),
  );

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    limitBodyTime(request, response, env.requestTimeoutMs);
    measureAnswer(metrics, request, response);
    const path = request.url?.split('?')[0];
    if (path === WEBHOOK_PATH) return webhook(request, response);
    if (path === CONNECTOR_PATH && requests.route) return requests.route(request, response);
    if (path?.startsWith(GRAPHQL_PATH))
      return sse.handles(request) ? sse.serve(request, response) : graphql(request, response);
    if (await download(request, response)) return;
    if (await showMetrics(request, response)) return;
    if (!(await health(request, response))) notFound(response);
  }
  http.on('upgrade', (request: IncomingMessage, socket, head) => {
    if (request.url?.split('?')[0] === GRAPHQL_PATH && !isStopping) ws.upgrade(request, socket, head);
    else socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
  });
  const address = await listen(http, env);
  base = `http://${env.host.includes(':') ? `[${env.host}]` : env.host}:${address.port}`;
  // On port 0 the address is known only now.
  if (!URL.canParse(publicUrl) || new URL(publicUrl).port === '0') publicUrl = base;

  if (env.role !== 'api') {
    const waitingWriter = createWriter({ db, settings: ingestSettings, log });
    const chores = [
      { name: 'parked items', run: async () => applyArrivedItems(db, await ingestSettings()) },
      { name: 'old parked items', run: () => dropOldItems(db) },
      { name: 'waiting deliveries', run: () => applyWaitingDeliveries(db, waitingWriter, ingestSettings) },
    ];
    undo.use(
      await startJobs({ db, env, meta, files, readModule, rulesOf, syncTemplates, transport, tracing, chores, log }),
    );
    undo.use(await requests.startJobs());
    const forgetting = [{ name: 'old events', run: () => forgetOldEvents(db, env) }];
    undo.use(startUpkeep({ chores: forgetting, everyMs: FORGET_MS, log }));
  }

  const parts = undo.move();
  return {
    url: base,
    sandbox,
    async [Symbol.asyncDispose]() {
      isStopping = true;
      const closed = new Promise((resolve) => http.close(resolve));
      await ingest.drain();
      await lastWebhook.flush();
      const overMs = env.shutdownGraceMs * DRAIN_SHARE;
      await Promise.all([ws.drain(overMs), sse.drain(overMs)]);
      http.closeIdleConnections();
      const patience = setTimeout(() => http.closeAllConnections(), env.shutdownGraceMs);
      await closed;
      clearTimeout(patience);
      await parts.disposeAsync();
    },
  };
}

function listen(http: Server, env: Env): Promise<AddressInfo> {
  // 100 MB over a slow line; whoever sends nothing is cut off by the limits of headers and of the upload itself.
  http.requestTimeout = 10 * 60_000;
  http.headersTimeout = Math.min(10_000, env.requestTimeoutMs);
  http.maxHeadersCount = 100;
  return new Promise((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new PortInUse(env.port) : error),
    );
    // A TCP server's address is an object.
    http.listen({ port: env.port, host: env.host, backlog: MAX_KNOCKING }, () =>
      resolve(http.address() as AddressInfo),
    );
  });
}

export class PortInUse extends Error {
  override readonly name = 'PortInUse';

  constructor(port: number) {
    super(`Port ${port} is in use: stop what listens there, or set PORT to another one.`);
  }
}

function mayIntrospect({ introspection }: Env, viewer: Viewer): boolean {
  if (introspection === 'administrators') return hasPermission(viewer, 'MANAGE_SETTINGS');
  return introspection === 'everyone';
}

/** What keeps a process from its work: no database, or one that is older than the program. */
async function problemOf(db: Database): Promise<string | null> {
  try {
    const missing = await missingMigrations(db.pool);
    return missing.length > 0 ? `migrations are missing: ${missing.join(', ')}` : null;
  } catch {
    return 'the database is not available';
  }
}

/** Requests without an origin are not a browser's. The server's own pages are its own origin. */
function originCheck(env: Env): (origin: string | undefined) => boolean {
  const allowed = new Set([
    ...env.corsOrigins,
    new URL(env.publicUrl).origin,
    `http://localhost:${env.port}`,
    `http://127.0.0.1:${env.port}`,
  ]);
  return (origin) => origin === undefined || allowed.has(origin);
}

function notFound(response: ServerResponse): void {
  response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' });
  response.end('Not found. GraphQL is at /graphql.');
}
