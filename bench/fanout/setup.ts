import { createHmac } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDatabase, type Database } from '../../src/db/database.ts';
import { startEmbeddedPostgres } from '../../src/db/embedded.ts';
import { transaction } from '../../src/db/transaction.ts';
import { dashboardToken } from '../../src/demo-data.ts';
import { loadEnv } from '../../src/env.ts';
import { createRedisTransport } from '../../src/events/redis-transport.ts';
import { createLog } from '../../src/log.ts';
import { batchOf, textMessage } from '../../test/support/payloads.ts';
import { findRedisProgram } from '../../test/support/redis-program.ts';
import { startRedis } from '../../test/support/redis-server.ts';
import { makeFolder } from '../../test/support/folder.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const APP_SECRET = 'the secret of the benchmark';

/** PostgreSQL, Redis and the settings of a deployment, and this process as one more writer of its log. */
export type Deployment = AsyncDisposable & {
  settings: Record<string, string>;
  token: string;
  db: Database;
  /** Appends one MESSAGE_ADDED and tells it as a server process would. */
  tell(event: { conversationId: string; messageId: string; businessNumberId: string }): Promise<unknown>;
};

export async function startDeployment(): Promise<Deployment> {
  await using stack = new AsyncDisposableStack();
  const folder = await makeFolder('cdesk-bench-');
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const log = createLog({ logLevel: 'warn', logFormat: 'json' });
  const postgres = stack.use(await startEmbeddedPostgres({ dataDir: folder, log }));
  const program = await findRedisProgram(join(root, '.cache'), true);
  if (!program) throw new Error('redis-server is missing');
  const redis = stack.use(await startRedis(program));
  const settings = {
    NODE_ENV: 'test',
    DATABASE_URL: postgres.url,
    DATA_DIR: folder,
    REDIS_URL: redis.url,
    ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
    JWT_SECRET: 'a secret that only the benchmark knows',
    META_APP_SECRET: APP_SECRET,
    LOG_LEVEL: 'info',
    LOG_FORMAT: 'json',
    PORT: '0',
    RATE_LIMIT_PER_MINUTE: '0',
    ADDRESS_RATE_LIMIT_PER_MINUTE: '0',
    WEBHOOK_RATE_LIMIT_PER_SECOND: '0',
    MAX_SOCKETS_PER_VIEWER: '20000',
  };
  const transport = stack.use(createRedisTransport({ url: redis.url, log }));
  transport.start(() => {});
  const db = stack.use(openDatabase({ url: postgres.url, poolSize: 2 }));
  db.onCommitted = (events) => transport.publish(events);
  const parts = stack.move();
  return {
    settings,
    token: dashboardToken(loadEnv(settings)),
    db,
    tell: (event) => transaction(db, async (tx) => tx.append({ type: 'MESSAGE_ADDED', ...event, occurredAt: tx.now })),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** A customer's message, signed as Meta signs. */
export async function postMessage(url: string, text: string): Promise<void> {
  const body = JSON.stringify(batchOf('100000000000011', [textMessage({ id: `wamid.${Math.random()}`, text })]));
  const signature = `sha256=${createHmac('sha256', APP_SECRET).update(body).digest('hex')}`;
  const answer = await fetch(`${url}/webhooks/whatsapp`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', 'x-hub-signature-256': signature },
  });
  if (answer.status !== 200) throw new Error(`the webhook was answered ${answer.status}`);
}

export const ADDED = `subscription Added($after: EventCursor) { messageAdded(after: $after) {
  eventId cursor occurredAt conversationId message { id preview sentAt direction kind
  conversation { number unreadCount participant { displayName } } } } }`;
export const ADDED_WITHOUT_CURSOR = ADDED.replace(' Added($after: EventCursor)', '').replace('(after: $after)', '');
