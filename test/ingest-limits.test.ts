import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batchOf, textMessage } from './support/payloads.ts';
import { number1, postSigned, startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ settings: { LOG_LEVEL: 'fatal' } });
});

afterAll(() => server[Symbol.asyncDispose]());

const post = (...elements: Record<string, unknown>[]) => server.postWebhook(batchOf(number1.phoneNumberId, elements));
const poison = () => textMessage({ id: randomBytes(6_000).toString('base64') });
const found = async (pattern: string) =>
  (await server.sql<{ n: number }>('SELECT count(*)::int AS n FROM message WHERE provider_id LIKE $1', [pattern]))[0]
    ?.n;

/** Holds what every batch needs last, so that nothing is stored until it is let go. */
async function blockWriting(): Promise<{ letGo: () => Promise<void> }> {
  const client = new pg.Client({ connectionString: server.databaseUrl });
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT FROM settings, stream_head FOR UPDATE OF stream_head');
  return {
    async letGo() {
      await client.query('ROLLBACK');
      await client.end();
    },
  };
}

describe('the ingest', () => {
  it('refuses with 503 and Retry-After what would wait in too long a line, and takes it again afterwards', async () => {
    const pad = 'x'.repeat(2_900_000);
    const body = (n: number) =>
      JSON.stringify({ ...batchOf(number1.phoneNumberId, [textMessage({ id: `wamid.line-${n}` })]), pad });
    const block = await blockWriting();
    const waiting = Array.from({ length: 30 }, (_, n) => postSigned(server.url, body(n)));

    const refused = await Promise.race(
      waiting.map(async (answer) => {
        const { status, headers } = await answer;
        return status === 503 ? { status, retryAfter: headers.get('retry-after') } : new Promise<never>(() => {});
      }),
    );
    await block.letGo();
    const answers = await Promise.all(waiting);
    const again = await Promise.all(
      answers.map(async (answer, n) => (answer.status === 503 ? postSigned(server.url, body(n)) : answer)),
    );

    expect(refused).toEqual({ status: 503, retryAfter: '5' });
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(10);
    expect(again.every(({ status }) => status === 200)).toBe(true);
    expect(await found('wamid.line-%')).toBe(30);
  });

  it('isolates poison: in a batch with a hundred others, and in a delivery with good elements', async () => {
    const block = await blockWriting();
    const first = post(textMessage({ id: 'wamid.opens-the-batch' }));
    const others = Array.from({ length: 100 }, (_, n) =>
      n === 37
        ? post(poison(), textMessage({ id: `wamid.beside-${n}` }))
        : post(textMessage({ id: `wamid.beside-${n}` })),
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    await block.letGo();

    const answers = await Promise.all([first, ...others]);

    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 101 }, () => 200));
    expect(await found('wamid.beside-%')).toBe(100);
    const states = await server.sql(
      `SELECT state, item_count, error, failures FROM webhook_delivery WHERE state NOT IN ('PROCESSED', 'IGNORED')`,
    );
    expect(states).toEqual([
      {
        state: 'PARTIALLY_PROCESSED',
        item_count: 2,
        error: '1 of 2 items could not be applied',
        failures: [{ index: 0, error: 'error 54000' }],
      },
    ]);
  });

  it('of nothing but poison is FAILED, answered 200, and kept', async () => {
    expect((await post(poison())).status).toBe(200);

    const [last] = await server.sql('SELECT state FROM webhook_delivery ORDER BY received_at DESC, id DESC LIMIT 1');
    expect(last).toEqual({ state: 'FAILED' });
  });

  it('does not let small deliveries wait for thousands of elements', async () => {
    const large = (round: number) =>
      post(
        ...Array.from({ length: 1_000 }, (_, n) =>
          textMessage({ id: `wamid.large-${round}-${n}`, from: String(420_650_000_000 + n) }),
        ),
      );
    await large(0);

    const ends: string[] = [];
    const big = [1, 2, 3].map(async (round) => {
      await large(round);
      ends.push('large');
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    const small = Array.from({ length: 10 }, async (_, n) => {
      await post(textMessage({ id: `wamid.small-${n}`, from: '420651000001' }));
      ends.push('small');
    });
    await Promise.all([...big, ...small]);

    // All of the small ones came after three thousand elements; they are done before the last of them.
    expect(ends.at(-1)).toBe('large');
    expect(await found('wamid.large-%')).toBe(4_000);
  });

  it('answers 503 while the database is away, stores nothing by half, and goes on by itself', async () => {
    const name = new URL(server.databaseUrl).pathname.slice(1);
    const admin = new URL(server.databaseUrl);
    admin.pathname = '/postgres';
    const client = new pg.Client({ connectionString: admin.href });
    await client.connect();
    await client.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
    await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);

    const away = await post(textMessage({ id: 'wamid.away' }));
    await client.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
    await client.end();

    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '5']);
    await expect
      .poll(async () => (await post(textMessage({ id: 'wamid.away' }))).status, { timeout: 30_000 })
      .toBe(200);
  });
});
