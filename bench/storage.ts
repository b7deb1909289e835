import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'undici';
import { subjectOf } from '../src/demo-data.ts';
import { loadEnv } from '../src/env.ts';
import { signIn } from '../src/sign-in.ts';
import { startMeasured } from './fanout/process.ts';
import { startDeployment } from './fanout/setup.ts';
import { makeWebhooks, post } from './ingest/traffic.ts';
import { figure, table } from './report.ts';

/** What a message takes: bytes on the disk of PostgreSQL by what they are for, and processor time of the server. */
const MESSAGES = Number(process.env.MESSAGES ?? 20_000);
const REPLIES = Number(process.env.REPLIES ?? 800);
const CONCURRENT = 64;
const OPERATORS = 8;

const purposes: Record<string, RegExp> = {
  'messages, searchable': /^(message|message_.*|attachment|reaction|parked_item)$/,
  conversations: /^(conversation|participant)$/,
  'events (7 days)': /^event$/,
  'raw deliveries (30 days)': /^webhook_delivery$/,
  'jobs, keys, the rest': /./,
};

await using stack = new AsyncDisposableStack();
const deployment = stack.use(await startDeployment());
const { db } = deployment;
const server = stack.use(await startMeasured('src/main.ts', [], deployment.settings));
const pool = new Pool(server.url, { connections: CONCURRENT });
stack.defer(() => pool.close());

await receive(MESSAGES / 10);
const token = await signIn(loadEnv(deployment.settings), { subject: subjectOf('alena'), login: 'alena' });
const empty = await sizes();
const cpuBefore = server.cpuMs();
await receive(MESSAGES);
const cpuMs = server.cpuMs() - cpuBefore;
const received = await sizes();
await reply(REPLIES);
const replied = await sizes();
report();

async function receive(count: number): Promise<void> {
  const webhooks = makeWebhooks(count).values();
  const work = async () => {
    for (const webhook of webhooks) await post(pool, webhook);
  };
  await Promise.all(Array.from({ length: CONCURRENT }, work));
}

/** Through the sandbox in Meta's place, until every one of them was read. */
async function reply(count: number): Promise<void> {
  const { rows } = await db.pool.query<{ id: string }>('SELECT id FROM conversation LIMIT $1', [count]);
  const conversations = rows.values();
  const work = async () => {
    for (const { id } of conversations) await replyTo(id);
  };
  await Promise.all(Array.from({ length: OPERATORS }, work));
  for (;;) {
    const { rows: read } = await db.pool.query<{ count: number }>(
      `SELECT count(*) FROM message WHERE direction = 'OUTGOING' AND status = 'READ'`,
    );
    if (read[0]?.count === rows.length) return;
    await pause(200);
  }
}

async function replyTo(id: string): Promise<void> {
  const input = {
    conversationId: btoa(`Conversation:${id}`),
    text: 'Dobrý den, děkujeme za zprávu.',
    idempotencyKey: id,
  };
  const query =
    'mutation R($input: ReplyToConversationInput!) { replyToConversation(input: $input) { errors { code } } }';
  const { statusCode, body } = await pool.request({
    path: '/graphql',
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables: { input } }),
  });
  const answer = await body.text();
  if (statusCode !== 200 || !answer.includes('"errors":[]')) throw new Error(`a reply was answered ${answer}`);
}

async function sizes(): Promise<Map<string, number>> {
  const { rows } = await db.pool.query<{ name: string; bytes: number }>(
    `SELECT c.relname AS name, pg_total_relation_size(c.oid) AS bytes FROM pg_class c
     JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname IN ('public', 'graphile_worker')`,
  );
  const purposeOf = (name: string) => Object.keys(purposes).find((purpose) => purposes[purpose]?.test(name)) ?? '';
  const groups = Map.groupBy(rows, ({ name }) => purposeOf(name));
  return new Map([...groups].map(([purpose, some]) => [purpose, some.reduce((sum, { bytes }) => sum + bytes, 0)]));
}

function report(): void {
  const perMessage = (purpose: string) => ((received.get(purpose) ?? 0) - (empty.get(purpose) ?? 0)) / MESSAGES;
  const perReply = (purpose: string) => ((replied.get(purpose) ?? 0) - (received.get(purpose) ?? 0)) / REPLIES;
  const rows = Object.keys(purposes).map((purpose) => [
    purpose,
    perMessage(purpose).toFixed(0),
    perReply(purpose).toFixed(0),
  ]);
  table(['bytes on disk, with indexes', 'per message that comes in', 'per reply, up to READ'], rows);
  const total = Object.keys(purposes).reduce((sum, purpose) => sum + perMessage(purpose), 0);
  figure('storage.bytes_per_message', total);
  figure('storage.server_cpu_ms_per_message', cpuMs / MESSAGES);
  figure('storage.server_rss_mb', server.rssKb() / 1_024);
}
