import type { IncomingMessage, ServerResponse } from 'node:http';
import { createAuthenticate, hasPermission, noteSeen, type Viewer } from '../auth.ts';
import type { Context } from '../context.ts';
import type { Env } from '../env.ts';
import { createAccessWatch } from '../events/access-watch.ts';
import { createStreams, type Streams } from '../events/streams.ts';
import { createOperations } from '../execution/operation.ts';
import { readTrustedDocuments } from '../execution/trusted-documents.ts';
import { startHeartbeats } from '../presence/heartbeats.ts';
import { createLoaders, type SharedLoaders } from '../schema/loaders.ts';
import { followingRefusal } from '../schema/rights.ts';
import { compilableSchema, schema } from '../schema/schema.ts';
import { createRecordRefusal } from '../services/audit.ts';
import { keyringOf } from '../services/module-watch.ts';
import { createTickets } from '../ticket.ts';
import { createConnectionLimits } from '../transport/connection-count.ts';
import { createGraphqlRoute } from '../transport/http.ts';
import { createSseRoute } from '../transport/sse.ts';
import { createWsServer } from '../transport/ws.ts';
import { WEBHOOK_PATH } from '../webhooks/whatsapp.ts';
import type { Core } from './core.ts';
import type { Door } from './door.ts';

export type GraphqlServer = ReturnType<typeof startGraphql>;

/** Everything that answers GraphQL: over HTTP, WebSocket and Server-Sent Events. */
export function startGraphql(core: Core, door: Door, undo: AsyncDisposableStack) {
  const { env, log, db, tracing, presence, readModule, hub } = core;
  const createContext = createContextOf(core);
  const operations = createOperations({
    schema,
    compilableSchema,
    complexity: env.maxComplexity,
    documents: readTrustedDocuments(env.trustedDocuments, env.trustedDocumentsOnly),
    rates: door.rates,
    mayIntrospect: (viewer) => mayIntrospect(env, viewer),
    onError: (code, limit) => core.metrics.refused(code, limit),
    tracing,
    log,
  });
  const streams: Streams = undo.use(
    createStreams({
      hub,
      schema,
      operations,
      createContext: (viewer, requestId, shared) => createContext(viewer, requestId, null, shared),
      lookAtAccess: (): Promise<void> => access.look(),
      progressSeconds: env.streamProgressSeconds,
      tracing,
      log,
    }),
  );
  const common = {
    ...door,
    schema,
    operations,
    authenticate: noteSeen(createAuthenticate(db, env), (viewer) => heartbeats.seen(viewer)),
    createContext,
    tickets: createTickets(keyringOf(env)),
    limits: createConnectionLimits({ perViewer: env.maxSocketsPerViewer, perAddress: env.maxSocketsPerAddress }),
    log,
  };
  const live = { ...common, streams, slowClientMs: env.slowClientSeconds * 1000 };
  const ws = undo.use(createWsServer({ ...live, onClosed: (connectionId) => presence.leave(connectionId) }));
  const sse = createSseRoute(live);
  const http = createGraphqlRoute({ ...common, files: core.files, hasGraphiql: env.graphiql });
  const connections = () => [...ws.connections(), ...sse.connections()];
  const access = undo.use(createAccessWatch({ db, connections, lookAtModule: () => readModule.refresh(), log }));
  const heartbeats = undo.use(startHeartbeats({ db, connections, onlineMs: env.presenceSeconds * 1000, log }));
  readModule.follow((module) => {
    const refusal = followingRefusal(module);
    if (refusal) streams.endAll(refusal);
  });
  return {
    streams,
    ws,
    sse,
    answer: (request: IncomingMessage, response: ServerResponse): Promise<void> | void =>
      sse.handles(request) ? sse.serve(request, response) : http(request, response),
    /** Sends everyone elsewhere, spread over the time. */
    drain: (overMs: number) => Promise.all([ws.drain(overMs), sse.drain(overMs)]),
  };
}

function createContextOf(core: Core) {
  const { db, addresses, requests } = core;
  const recordRefusal = createRecordRefusal(db);
  const webhookUrl = () => `${addresses.public}${WEBHOOK_PATH}`;
  return (
    viewer: Viewer | null,
    requestId: string,
    connectionId: string | null = null,
    shared?: SharedLoaders,
  ): Context => ({
    viewer,
    requestId,
    connectionId,
    presence: core.presence,
    db,
    env: core.env,
    log: core.log,
    hub: core.hub,
    files: core.files,
    fileLinks: core.fileLinks,
    readModule: core.readModule,
    checkConnection: core.checkConnection,
    webhookUrl,
    recordRefusal,
    rulesOf: core.rulesOf,
    syncTemplates: core.syncTemplates,
    connector: requests.store,
    loaders: createLoaders(db, viewer, shared),
  });
}

function mayIntrospect({ introspection }: Env, viewer: Viewer): boolean {
  if (introspection === 'administrators') return hasPermission(viewer, 'MANAGE_SETTINGS');
  return introspection === 'everyone';
}
