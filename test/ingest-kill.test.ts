import { createHash, randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from './support/database.ts';
import { eventually } from './support/events.ts';
import { batchOf, statusOf, textMessage, type Element } from './support/payloads.ts';
import { startServerProcess, type ServerProcess } from './support/process.ts';
import { number1, postSigned } from './support/server.ts';

/** `npm run test:kill` posts 20,000. */
const WEBHOOKS = Number(process.env.KILL_WEBHOOKS ?? 1_000);
const CONCURRENT = 48;
const CUSTOMERS = 40;

let database: TestDatabase;
let processes: ServerProcess[];

beforeAll(async () => {
  database = await createTestDatabase();
  processes = await Promise.all(
    [1, 2].map(() => startServerProcess({ DATABASE_URL: database.url, LOG_LEVEL: 'info' })),
  );
});

afterAll(async () => {
  for (const part of processes) await part[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

type Webhook = { body: string; providerIds: string[] };

/** Mixed as in real life: texts, statuses of nobody's messages, reactions, files; one in a hundred holds poison. */
function makeWebhook(n: number): Webhook {
  const from = String(420_630_000_000 + (n % CUSTOMERS));
  const id = `wamid.kill-${n}`;
  const text = textMessage({ from, id, text: `Zpráva ${n}` });
  if (n % 100 === 50) {
    const poison = textMessage({ from, id: randomBytes(6_000).toString('base64') });
    return told([text, poison], [id]);
  }
  if (n % 10 === 3) return told([], [], [statusOf({ id: `wamid.elsewhere-${n}`, status: 'delivered' })]);
  if (n % 10 === 6)
    return told([{ ...text, type: 'location', text: undefined, location: { latitude: 50, longitude: 14 } }], [id]);
  if (n % 10 === 9) {
    const reaction = { message_id: `wamid.kill-${n - 1}`, emoji: '👍' };
    return told([text, { ...textMessage({ from }), type: 'reaction', text: undefined, reaction }], [id]);
  }
  return told([text], [id]);
}

function told(messages: Element[], providerIds: string[], statuses: Element[] = []): Webhook {
  return { body: JSON.stringify(batchOf(number1.phoneNumberId, messages, statuses)), providerIds };
}

/** Every twentieth is told again some time later, as Meta does. */
function makeTraffic(): Webhook[] {
  const traffic: Webhook[] = [];
  for (let n = 0; n < WEBHOOKS; n++) {
    const again = traffic[Math.max(0, traffic.length - 20)];
    traffic.push(n % 20 === 19 && again ? again : makeWebhook(n));
  }
  return traffic;
}

/** As Meta: whatever is not answered 200 comes again, to whoever is there. */
async function deliver(webhook: Webhook, living: () => ServerProcess[], n: number): Promise<number> {
  for (let attempt = 0; attempt < 60; attempt++) {
    const targets = living();
    const target = targets[(n + attempt) % targets.length];
    const answer = await postSigned(target?.url ?? '', webhook.body).catch(() => null);
    if (answer?.status === 200) return attempt + 1;
    await new Promise((resolve) => setTimeout(resolve, 20 * (attempt + 1)));
  }
  throw new Error('a webhook was never taken');
}

it(`${WEBHOOKS} webhooks at full speed, one of two processes killed in the middle: what got a 200 is there, once`, async () => {
  const [first, second] = processes;
  if (!first || !second) throw new Error('two processes are needed');
  const traffic = makeTraffic();
  const queue = traffic.entries();
  let isKilled = false;
  let posted = 0;
  const beganAt = performance.now();

  const post = async () => {
    for (const [n, webhook] of queue) {
      await deliver(webhook, () => (isKilled ? [second] : [first, second]), n);
      posted += 1;
      if (posted < WEBHOOKS / 2 || isKilled) continue;
      isKilled = true;
      first.process.kill('SIGKILL');
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, post));
  const seconds = (performance.now() - beganAt) / 1000;
  if (process.env.KILL_WEBHOOKS) process.stdout.write(`${Math.round(WEBHOOKS / seconds)} webhooks/s\n`);

  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    await eventually(async () => (await missingBodies(client, traffic)).length === 0, 5_000).catch(() => {});
    expect(await missingBodies(client, traffic)).toEqual([]);
    expect(await missingMessages(client, traffic)).toEqual([]);
    expect(await disagreements(client)).toEqual([]);
    const { rows: states } = await client.query(
      `SELECT state, count(*)::int AS n FROM webhook_delivery GROUP BY state ORDER BY state`,
    );
    const poisonous = traffic.filter(({ body }) => body.length > 6_000).length;
    expect(states.find((row) => row.state === 'PARTIALLY_PROCESSED')?.n ?? 0).toBeGreaterThanOrEqual(poisonous);
    expect(states.map((row) => row.state).toSorted()).toEqual(['PARTIALLY_PROCESSED', 'PROCESSED']);
  } finally {
    await client.end();
  }
}, 900_000);

/** Bodies that are kept less often than they were answered 200. */
async function missingBodies(client: pg.Client, traffic: Webhook[]): Promise<string[]> {
  const { rows } = await client.query<{ hash: string; n: number }>(
    `SELECT encode(sha256(body), 'hex') AS hash, count(*)::int AS n FROM webhook_delivery GROUP BY 1`,
  );
  const kept = new Map(rows.map((row) => [row.hash, row.n]));
  const answered = Map.groupBy(traffic, ({ body }) => createHash('sha256').update(body).digest('hex'));
  return [...answered].filter(([hash, all]) => (kept.get(hash) ?? 0) < all.length).map(([hash]) => hash);
}

async function missingMessages(client: pg.Client, traffic: Webhook[]): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>('SELECT provider_id AS id FROM message');
  const stored = new Set(rows.map((row) => row.id));
  return traffic.flatMap(({ providerIds }) => providerIds).filter((id) => !stored.has(id));
}

/** Conversations that do not agree with their messages, and events that are missing or told twice. */
async function disagreements(client: pg.Client): Promise<unknown[]> {
  const { rows } = await client.query(
    `SELECT c.id, c.unread_count, c.last_sequence, count(m.id)::int AS messages, count(DISTINCT m.sequence)::int AS sequences,
       (SELECT count(*)::int FROM event e WHERE e.conversation_id = c.id AND e.type = 'MESSAGE_ADDED') AS told
     FROM conversation c LEFT JOIN message m ON m.conversation_id = c.id GROUP BY c.id
     HAVING c.unread_count <> count(m.id) OR c.last_sequence <> count(m.id) OR count(DISTINCT m.sequence) <> count(m.id)
       OR (SELECT count(*) FROM event e WHERE e.conversation_id = c.id AND e.type = 'MESSAGE_ADDED') <> count(m.id)`,
  );
  return rows;
}
