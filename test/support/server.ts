import { createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraphQLClient } from 'graphql-request';
import { createClient, type Client } from 'graphql-ws';
import pg from 'pg';
import { dashboardToken, demoNumbers, subjectOf } from '../../src/demo-data.ts';
import { loadEnv, type Env } from '../../src/env.ts';
import { createLog } from '../../src/log.ts';
import type { Sandbox } from '../../src/sandbox/options.ts';
import { startServer, type RunningServer } from '../../src/server.ts';
import { signIn } from '../../src/sign-in.ts';
import { createTestDatabase } from './database.ts';

export const APP_SECRET = 'test_app_secret';
export const VERIFY_TOKEN = 'a verify token with & and =';
export const [number1, number2] = demoNumbers;

export type TestServer = AsyncDisposable & {
  env: Env;
  url: string;
  databaseUrl: string;
  sandbox: Sandbox;
  sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** A client of the named demo operator: alena may everything, boris answers, cyril reads. */
  as(login: 'alena' | 'boris' | 'cyril'): Promise<GraphQLClient>;
  withToken(token: string | null): GraphQLClient;
  tokenOf(login: string): Promise<string>;
  dashboardToken: string;
  socket(token: string): Client;
  /** Signs as Meta does and posts. */
  postWebhook(body: unknown, headers?: Record<string, string>): Promise<Response>;
};

/** Here many clients share one operator and one address. */
export const unlimitedRates = {
  RATE_LIMIT_PER_MINUTE: '0',
  ADDRESS_RATE_LIMIT_PER_MINUTE: '0',
  WEBHOOK_RATE_LIMIT_PER_SECOND: '0',
  MAX_SOCKETS_PER_VIEWER: '20000',
} as const;

export type TestServerOptions = {
  settings?: Record<string, string>;
  databaseUrl?: string;
  /** One that outlives the server, named in its settings; else it has its own. */
  meta?: Sandbox;
};

/** The whole server over HTTP, with a database of its own and the sandbox in Meta's place. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  await using undo = new AsyncDisposableStack();
  const databaseUrl = options.databaseUrl ?? undo.use(await createTestDatabase()).url;
  const dataDir = await mkdtemp(join(tmpdir(), 'cdesk-chats-test-'));
  undo.defer(() => rm(dataDir, { recursive: true, force: true }));
  const env = loadEnv({
    NODE_ENV: 'test',
    PORT: '0',
    DATABASE_URL: databaseUrl,
    DATABASE_POOL_SIZE: '10',
    DATA_DIR: dataDir,
    JWT_SECRET: 'a secret that only the tests know, 32+',
    ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
    META_APP_SECRET: APP_SECRET,
    META_WEBHOOK_TOKEN: VERIFY_TOKEN,
    SHUTDOWN_GRACE_MS: '200',
    SYNC_TEMPLATES_AT_START: 'false',
    UPKEEP_INTERVAL_MS: '500',
    ...unlimitedRates,
    ...options.settings,
  });
  const log = createLog({ logLevel: env.logLevel, logFormat: 'json' });
  const server: RunningServer = undo.use(await startServer({ env, log }));
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 3 });
  // A test may cut every connection to the database, this pool's too.
  pool.on('error', () => {});
  undo.defer(() => pool.end());
  const sandbox = options.meta ?? server.sandbox;
  if (!sandbox) throw new Error('the sandbox did not start');
  sandbox.setDelays({ sentMs: 10, deliveredMs: 20, readMs: 30 });
  const parts = undo.move();
  const withToken = (token: string | null) =>
    new GraphQLClient(`${server.url}/graphql`, token ? { headers: { authorization: `Bearer ${token}` } } : {});
  const tokenOf = (login: string) => signIn(env, { subject: subjectOf(login), login });
  return {
    env,
    url: server.url,
    databaseUrl,
    sandbox,
    sql: async (text, values) => (await pool.query(text, values)).rows,
    withToken,
    tokenOf,
    as: async (login) => withToken(await tokenOf(login)),
    dashboardToken: dashboardToken(env),
    socket: (token) =>
      createClient({
        url: `${server.url.replace('http', 'ws')}/graphql`,
        connectionParams: { authorization: `Bearer ${token}` },
        retryAttempts: 0,
      }),
    postWebhook: (body, headers) =>
      postSigned(server.url, typeof body === 'string' ? body : JSON.stringify(body), headers),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

export function postSigned(
  url: string,
  body: string,
  headers: Record<string, string> = {},
  secret: string = APP_SECRET,
): Promise<Response> {
  const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  return fetch(`${url}/webhooks/whatsapp`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', 'x-hub-signature-256': signature, ...headers },
  });
}
