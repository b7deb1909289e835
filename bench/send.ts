import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from 'graphql-ws';
import pg from 'pg';
import { pino } from 'pino';
import { startEmbeddedPostgres } from '../src/db/embedded.ts';
import { demoNumbers, SANDBOX_ACCESS_TOKEN, SANDBOX_ACCOUNT_ID, subjectOf } from '../src/demo-data.ts';
import { loadEnv } from '../src/env.ts';
import type { Sandbox } from '../src/sandbox/options.ts';
import { startSandbox } from '../src/sandbox/server.ts';
import { signIn } from '../src/sign-in.ts';
import { figure, median, percentile, table } from './report.ts';
import { makeFolder } from '../test/support/folder.ts';

const REPLY = `mutation Reply($input: ReplyToConversationInput!) {
  replyToConversation(input: $input) { replayed message { id status sentAt } conversation { id beacon { on } } errors { code } } }`;
let seen = 0;

const ROUNDS = Number(process.env.ROUNDS ?? 200);
const WARM_UP = 30;
const CONVERSATIONS = 20;
const PORT = 4_900 + Math.floor(Math.random() * 90);
const root = fileURLToPath(new URL('..', import.meta.url));
const [number] = demoNumbers;

/**
 * What one reply costs, with nothing else going on: from the click to the answer, from the click to Meta's door, and
 * from Meta's status to the subscriber's frame. The server runs in a process of its own.
 */
const dataDir = await makeFolder('cdesk-chats-bench-');
const settings = {
  NODE_ENV: 'test',
  PORT: String(PORT),
  DATA_DIR: dataDir,
  JWT_SECRET: 'a secret that only the benchmark knows',
  ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  META_APP_SECRET: 'bench_app_secret',
  META_WEBHOOK_TOKEN: 'a verify token of the benchmark',
  SANDBOX: 'off',
  SYNC_TEMPLATES_AT_START: 'false',
  LOG_LEVEL: 'warn',
  RATE_LIMIT_PER_MINUTE: '0',
  ADDRESS_RATE_LIMIT_PER_MINUTE: '0',
  WEBHOOK_RATE_LIMIT_PER_SECOND: '0',
};
const url = `http://127.0.0.1:${PORT}`;

await using undo = new AsyncDisposableStack();
undo.defer(() => rm(dataDir, { recursive: true, force: true }));
const quiet = pino({ level: 'silent' });
const postgres = undo.use(await startEmbeddedPostgres({ dataDir, log: quiet }));
const pool = new pg.Pool({ connectionString: postgres.url, max: 1 });
undo.defer(() => pool.end());
const sandbox = undo.use(await startQuietSandbox());
const door = await startDoor(sandbox.url);
undo.defer(() => void door.server.close());
const child = spawn(process.execPath, [join(root, 'src/main.ts')], {
  cwd: root,
  env: {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    ...settings,
    META_API_URL: door.url,
    DATABASE_URL: postgres.url,
  },
  stdio: 'ignore',
});
undo.defer(async () => {
  const ended = once(child, 'close');
  child.kill('SIGTERM');
  await ended;
});
const token = await firstAnswer();
const conversationIds = await begin();
const socket = createClient({
  url: `${url.replace('http', 'ws')}/graphql`,
  connectionParams: { authorization: `Bearer ${token}` },
});
undo.defer(() => socket.dispose());
const frames = listen();

await pool.query('CREATE TABLE bench_commit (n integer)');
const samples: { bare: number; commit: number; mutation: number; toMeta: number; toSocket: number }[] = [];
for (let round = 0; round < ROUNDS + WARM_UP; round++) samples.push(await measure(round));
const measured = samples.slice(WARM_UP);

const row = (name: string, key: keyof (typeof measured)[number]) => {
  const values = measured.map((sample) => sample[key]);
  return [
    name,
    ...[median(values), percentile(values, 99), Math.min(...values), Math.max(...values)].map((ms) => ms.toFixed(2)),
  ];
};
table(
  [`${ROUNDS} replies, ms`, 'median', 'p99', 'min', 'max'],
  [
    row('a bare HTTP call of the same size', 'bare'),
    row('a durable commit of one row', 'commit'),
    row('mutation to answer', 'mutation'),
    row("mutation to Meta's request", 'toMeta'),
    row("Meta's status to the subscriber", 'toSocket'),
  ],
);
figure('send.mutation_p50_ms', median(measured.map(({ mutation }) => mutation)));
figure('send.to_meta_p50_ms', median(measured.map(({ toMeta }) => toMeta)));
figure('status.to_socket_p50_ms', median(measured.map(({ toSocket }) => toSocket)));

async function measure(round: number) {
  const conversationId = conversationIds[round % conversationIds.length];
  const text = `Odpověď číslo ${round}`;
  const body = JSON.stringify({
    query: REPLY,
    variables: { input: { conversationId, text, idempotencyKey: `${round}` } },
  });
  const bareFrom = performance.now();
  await post(`${door.url}/bare`, body);
  const bare = performance.now() - bareFrom;

  const commitFrom = performance.now();
  await pool.query('INSERT INTO bench_commit VALUES ($1)', [round]);
  const commit = performance.now() - commitFrom;

  const knocked = door.next();
  const clicked = performance.now();
  await post(`${url}/graphql`, body);
  const mutation = performance.now() - clicked;
  const toMeta = (await knocked) - clicked;

  const wamid = await newest();
  const framed = frames.next();
  const told = performance.now();
  await sandbox.postStatus(wamid, 'sent');
  const toSocket = (await framed) - told;
  return { bare, commit, mutation, toMeta, toSocket };
}

async function newest(): Promise<string> {
  for (;;) {
    const entry = sandbox.ledger().at(-1);
    if (entry && entry.number > seen) {
      seen = entry.number;
      // The answer is on its way: the status must not come before it is stored.
      await new Promise((resolve) => setTimeout(resolve, 30));
      return entry.providerId;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function startQuietSandbox(): Promise<Sandbox> {
  return startSandbox({
    webhookUrl: `${url}/webhooks/whatsapp`,
    appSecret: settings.META_APP_SECRET,
    accessToken: SANDBOX_ACCESS_TOKEN,
    businessAccountId: SANDBOX_ACCOUNT_ID,
    phoneNumbers: [{ id: number.phoneNumberId, displayPhoneNumber: number.phoneNumber, verifiedName: 'Bench' }],
    delays: { sentMs: null, deliveredMs: null, readMs: null },
    log: quiet,
  });
}

type Door = { url: string; server: Server; next(): Promise<number> };

/** Stands before the sandbox and notes when a request begins; `/bare` answers at once. */
async function startDoor(target: string): Promise<Door> {
  let arrived: ((at: number) => void) | null = null;
  const server = createServer((incoming, outgoing) => {
    const at = performance.now();
    if (incoming.url === '/bare') return void incoming.resume().on('end', () => outgoing.end('{"data":null}'));
    arrived?.(at);
    const { method = 'GET', headers } = incoming;
    const onward = httpRequest(new URL(incoming.url ?? '/', target), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server's address is an object.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    server,
    next: () => new Promise((resolve) => (arrived = resolve)),
  };
}

async function firstAnswer(): Promise<string> {
  const env = loadEnv({ ...settings, PORT: '0' });
  const credential = await signIn(env, { subject: subjectOf('boris'), login: 'boris' });
  for (let attempt = 0; attempt < 600; attempt++) {
    const answer = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${credential}` },
      body: JSON.stringify({ query: '{ serverTime }' }),
    }).catch(() => null);
    if (answer?.ok) return credential;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the server did not start within a minute');
}

async function begin(): Promise<string[]> {
  for (let index = 0; index < CONVERSATIONS; index++)
    await sandbox.customerWrites({
      phoneNumberId: number.phoneNumberId,
      from: `+4206011234${10 + index}`,
      text: 'Dobrý den',
    });
  const answer = await post(
    `${url}/graphql`,
    JSON.stringify({ query: `{ conversations(first: ${CONVERSATIONS}) { nodes { id } } }` }),
  );
  const { data } = JSON.parse(answer) as { data: { conversations: { nodes: { id: string }[] } } };
  return data.conversations.nodes.map(({ id }) => id);
}

async function post(address: string, body: string): Promise<string> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  return (await fetch(address, { method: 'POST', headers, body })).text();
}

function listen(): { next(): Promise<number> } {
  let arrived: ((at: number) => void) | null = null;
  socket.subscribe(
    { query: 'subscription { messageStatusChanged { messageId status previous } }' },
    { next: () => arrived?.(performance.now()), error: (error) => console.error(error), complete: () => {} },
  );
  return { next: () => new Promise((resolve) => (arrived = resolve)) };
}
