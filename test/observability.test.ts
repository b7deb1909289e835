import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, eventually } from './support/events.ts';
import { startRedisServer } from './support/redis.ts';
import { number1, startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});

afterAll(() => server[Symbol.asyncDispose]());

/** The value of one series as Prometheus reads it. */
async function metric(series: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return Number(line?.split(' ').at(-1) ?? Number.NaN);
}

describe('/metrics', () => {
  it('counts what comes in, what goes out, who listens and who was refused', async () => {
    const socket = server.socket(await server.tokenOf('boris'));
    const live = collect(socket, 'subscription { messageAdded { cursor } }');
    await eventually(async () => (await metric('cdesk_subscriptions')) === 1);
    await server.sandbox.customerWrites({ phoneNumberId: number1.phoneNumberId, from: '+420601123456', text: 'x' });
    await live.take(1);
    const alena = await server.as('alena');
    const { conversations } = await alena.request<{ conversations: { nodes: { id: string }[] } }>(
      '{ conversations(first: 1) { nodes { id } } }',
    );
    await alena.request(
      `mutation ($id: ID!) { replyToConversation(input: { conversationId: $id, text: "y", idempotencyKey: "m" }) { replayed } }`,
      { id: conversations.nodes[0]?.id },
    );
    await fetch(`${server.url}/webhooks/whatsapp`, { method: 'POST', body: '{}' });
    await alena.request('{ conversations(first: 1000000) { nodes { id } } }').catch(() => null);
    await eventually(async () => (await metric('cdesk_message_statuses_total{status="READ"}')) === 1, 15_000);

    expect(await metric('cdesk_http_request_seconds_count{route="/webhooks/whatsapp",status="401"}')).toBe(1);
    expect(await metric('cdesk_http_request_seconds_count{route="/webhooks/whatsapp",status="200"}')).toBeGreaterThan(
      0,
    );
    expect(await metric('cdesk_ingest_seconds_count')).toBeGreaterThan(0);
    expect(await metric('cdesk_ingest_items_total')).toBeGreaterThan(3);
    expect(await metric('cdesk_events_total{type="MESSAGE_ADDED"}')).toBe(2);
    expect(await metric('cdesk_refusals_total{code="COMPLEXITY_LIMIT",limit="complexity"}')).toBe(1);
    expect(await metric('cdesk_sockets')).toBe(1);
    expect(await metric('cdesk_subscriptions')).toBe(1);
    expect(await metric('cdesk_database_up')).toBe(1);
    expect(await metric('cdesk_send_queue_messages{state="QUEUED"}')).toBe(0);
    expect(await metric('cdesk_stream_head')).toBeGreaterThan(0);
    expect(await metric('cdesk_stream_lag_events')).toBe(0);
    expect(await metric('cdesk_pool_waiting')).toBe(0);
    await socket.dispose();
  });

  it('has every series that the alerts and the dashboard ask for, and every alert has its row in the manual', async () => {
    const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
    const alerts = read('deploy/prometheus/alerts.yml');
    const asked = `${alerts} ${read('deploy/grafana/cdesk-chats.json')}`.matchAll(
      /\b(?:cdesk|process|nodejs)_[a-z_]+/g,
    );
    const told = await (await fetch(`${server.url}/metrics`)).text();
    const known = new Set([...told.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    const unknown = [...asked]
      .map(([name]) => name)
      .filter((name) => !known.has(name.replace(/_(bucket|count|sum)$/, '')));
    const manual = read('docs/operations.md');
    const names = [...alerts.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);

    expect([...new Set(unknown)]).toEqual([]);
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !manual.includes(`| ${name} |`))).toEqual([]);
  });

  it('is for this machine, or for who has the token', async () => {
    await using closed = await startTestServer({
      settings: { METRICS_TOKEN: 'a token for prometheus', TRUSTED_PROXIES: '127.0.0.1' },
    });
    const ask = async (url: string, headers: Record<string, string>) =>
      (await fetch(`${url}/metrics`, { headers })).status;

    expect(await ask(closed.url, {})).toBe(403);
    expect(await ask(closed.url, { authorization: 'Bearer a token for prometheus' })).toBe(200);
    await using open = await startTestServer({ settings: { TRUSTED_PROXIES: '127.0.0.1' } });
    expect(await ask(open.url, {})).toBe(200);
    expect(await ask(open.url, { 'x-forwarded-for': '203.0.113.9' })).toBe(403);
  });

  it.each(['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'])(
    'is not for who comes through a proxy of this machine that nobody told us of (%s)',
    async (header) => {
      const answer = await fetch(`${server.url}/metrics`, { headers: { [header]: '203.0.113.9' } });

      expect(answer.status).toBe(403);
    },
  );
});

describe('/readyz', () => {
  it('tells a database that is older than the program, and is ready again once it was migrated', async () => {
    const [last] = await server.sql<{ name: string }>(
      `UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name =
         (SELECT max(migration_name) FROM _prisma_migrations) RETURNING migration_name AS name`,
    );
    const before = await fetch(`${server.url}/readyz`);
    await server.sql('UPDATE _prisma_migrations SET rolled_back_at = NULL');
    const after = await fetch(`${server.url}/readyz`);

    expect([before.status, await before.json()]).toEqual([503, { status: `migrations are missing: ${last?.name}` }]);
    expect([after.status, await after.json()]).toEqual([200, { status: 'ready', redis: 'not used' }]);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });

  it('calls a process without its Redis degraded, but ready', async () => {
    const redis = await startRedisServer();
    await using own = await startTestServer({ settings: { REDIS_URL: redis.url } });
    const state = async () => ((await (await fetch(`${own.url}/readyz`)).json()) as { status: string }).status;
    await eventually(async () => (await state()) === 'ready', 15_000);

    await redis.kill();

    await eventually(async () => (await state()) === 'degraded', 15_000);
    expect((await fetch(`${own.url}/readyz`)).status).toBe(200);
  });
});
