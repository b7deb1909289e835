import { createServer } from 'node:http';
import { loadEnv } from '../../src/env.ts';
import { createLog } from '../../src/log.ts';
import { startCore } from '../../src/server/core.ts';
import { createDoor } from '../../src/server/door.ts';
import { listen } from '../../src/server/listening.ts';
import { createRoutes } from '../../src/server/routes.ts';
import { traceAnswer } from '../../src/tracing/answers.ts';
import { createWebhookRoute } from '../../src/webhooks/whatsapp.ts';

/** Our server with all that a webhook passes in it up to the database, which only the settings come from. */
const env = loadEnv();
const log = createLog({ logLevel: 'warn', logFormat: 'json' });
const parts = new AsyncDisposableStack();
const core = await startCore({ env, log }, parts);
const door = createDoor(env, parts);
const webhook = createWebhookRoute({
  module: core.readModule,
  ingest: { async accept() {}, async reject() {}, async drain() {} },
  addressOf: door.addressOf,
  secondsToWait: (address) => door.rates.webhook(address),
  log,
});
const routes = createRoutes(core, door, { webhook, graphql: () => {}, isStopping: () => false });
const http = createServer(
  (request, response) => void traceAnswer(core.tracing, request, response, () => routes(request, response)),
);
console.log(JSON.stringify({ url: await listen(http, env), msg: 'listening' }));
