import { createServer, type IncomingMessage } from 'node:http';
import type { Env } from './env.ts';
import type { Log } from './log.ts';
import { addGauges } from './metrics/gauges.ts';
import type { Sandbox } from './sandbox/options.ts';
import { startBackground } from './server/background.ts';
import { startCore, type Core } from './server/core.ts';
import { createDoor } from './server/door.ts';
import { startGraphql, type GraphqlServer } from './server/graphql.ts';
import { listen } from './server/listening.ts';
import { createRoutes } from './server/routes.ts';
import { createWebhooks } from './server/webhooks.ts';
import { traceAnswer } from './tracing/answers.ts';
import { GRAPHQL_PATH } from './transport/http.ts';
import { refuseUpgrade } from './transport/socket.ts';

export type RunningServer = AsyncDisposable & {
  /** Where it listens, e.g. http://127.0.0.1:4000. */
  url: string;
  sandbox: Sandbox | null;
  /** Settles where it cannot go on, with a sentence that says why. */
  failed: Promise<string>;
};

export type ServerOptions = { env: Env; log: Log };

const TIMEOUT_CHECK_MS = 1_000;
const DRAIN_SHARE = 0.3;

/** Puts the parts together. Disposing stops accepting, finishes what is begun, sends clients elsewhere, and ends the pools. */
export async function startServer({ env, log }: ServerOptions): Promise<RunningServer> {
  await using undo = new AsyncDisposableStack();
  const core = await startCore({ env, log }, undo);
  const door = createDoor(env, undo);
  const graphql = startGraphql(core, door, undo);
  const webhooks = createWebhooks(core, door);
  observe(core, graphql);

  let isStopping = false;
  const routes = createRoutes(core, door, {
    webhook: webhooks.route,
    graphql: graphql.answer,
    isStopping: () => isStopping,
  });
  const http = createServer(
    { connectionsCheckingInterval: TIMEOUT_CHECK_MS },
    (request, response) => void traceAnswer(core.tracing, request, response, () => routes(request, response)),
  );
  http.on('upgrade', (request: IncomingMessage, socket, head) => {
    if (request.url?.split('?')[0] === GRAPHQL_PATH && !isStopping) graphql.ws.upgrade(request, socket, head);
    else refuseUpgrade(socket, '404 Not Found');
  });
  const url = await listen(http, env);
  core.addresses.own = url;
  // On port 0 the address is known only now.
  if (!URL.canParse(env.publicUrl) || new URL(env.publicUrl).port === '0') core.addresses.public = url;
  const { promise: failed, resolve: fail } = Promise.withResolvers<string>();
  if (env.role !== 'api') await startBackground(core, undo, fail);

  const parts = undo.move();
  return {
    url,
    sandbox: core.sandbox,
    failed,
    async [Symbol.asyncDispose]() {
      isStopping = true;
      const closed = new Promise((resolve) => http.close(resolve));
      await webhooks.drain();
      await graphql.drain(env.shutdownGraceMs * DRAIN_SHARE);
      http.closeIdleConnections();
      const patience = setTimeout(() => http.closeAllConnections(), env.shutdownGraceMs);
      await closed;
      clearTimeout(patience);
      await parts.disposeAsync();
    },
  };
}

function observe({ db, log, metrics, hub }: Core, { ws, sse, streams }: GraphqlServer): void {
  addGauges(metrics.registry, {
    db,
    log,
    hubSequence: () => hub.head().seq,
    sockets: () => [...ws.connections()].length,
    eventSources: () => [...sse.connections()].length,
    streams: () => streams.size,
  });
}
