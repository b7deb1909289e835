import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { schema } from '../src/schema/schema.ts';
import { eventually } from './support/events.ts';
import { fixture, fixtureNames } from './support/fixtures.ts';
import { createRandom, mutated, randomOperation } from './support/random-operations.ts';
import { number1, startTestServer, type TestServer } from './support/server.ts';

/** Rounds of each kind; `npm run test:fuzz` runs many with a seed of its own, which is set to find a thing again. */
const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 150);
const SEED = Number(process.env.FUZZ_SEED ?? (process.env.FUZZ_ROUNDS ? Date.now() % 1_000_000 : 7));
const TIMEOUT_MS = 20_000 + ROUNDS * 200;

let server: TestServer;
let token: string;
let ids: string[];

beforeAll(async () => {
  server = await startTestServer({ settings: { LOG_LEVEL: 'fatal' } });
  token = await server.tokenOf('alena');
  await server.sandbox.customerWrites({ phoneNumberId: number1.phoneNumberId, from: '+420601123456', text: 'x' });
  const rows = await server.sql<{ type: string; id: string }>(
    `SELECT 'Conversation' AS type, id FROM conversation UNION ALL SELECT 'Message', id FROM message
     UNION ALL SELECT 'Participant', id FROM participant UNION ALL SELECT 'BusinessNumber', id FROM business_number`,
  );
  ids = [...rows.map(({ type, id }) => btoa(`${type}:${id}`)), 'nonsense', '', btoa('Message:no-id')];
});

afterAll(() => server[Symbol.asyncDispose]());

type Counts = Record<string, number>;

function count(counts: Counts, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

/** Lives, answers and holds nothing back. */
async function expectHealthy(): Promise<void> {
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  await eventually(async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    return (
      /^cdesk_sockets 0$/m.test(text) && /^cdesk_subscriptions 0$/m.test(text) && /^cdesk_pool_waiting 0$/m.test(text)
    );
  }, 15_000);
}

const post = (body: string, headers: Record<string, string> = {}) =>
  fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body,
  });

describe(`with seed ${SEED}`, () => {
  it('operations made from the schema never end in an error of ours', { timeout: TIMEOUT_MS }, async () => {
    const random = createRandom(SEED);
    const counts: Counts = {};
    const internal: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const query = randomOperation(schema, random, ids);
      // These would end the log-in that the others need, or the module.
      if (/signOut|setOperatorActive|setChatModuleEnabled|updateChatSettings|eraseParticipant/.test(query)) continue;
      const response = await post(JSON.stringify({ query }));
      const answer = (await response.json()) as { errors?: { message: string; extensions: { code: string } }[] };
      const codes = new Set(answer.errors?.map(({ extensions }) => extensions.code) ?? ['answered']);
      for (const code of codes) count(counts, code);
      if (response.status >= 500 || codes.has('INTERNAL')) internal.push(query.slice(0, 3_000));
    }
    process.stdout.write(`operations: ${JSON.stringify(counts)}\n`);

    expect(internal).toEqual([]);
    expect(counts.answered).toBeGreaterThan(0);
    await expectHealthy();
  });

  it('requests that are none are refused', { timeout: TIMEOUT_MS }, async () => {
    const random = createRandom(SEED + 1);
    const counts: Counts = {};
    const good = '{"query":"{ serverTime }","variables":{"a":[1,{"b":null}]}}';
    const types = [
      'application/json',
      'application/json; charset=ibm037',
      'multipart/form-data; boundary=x',
      'text/html',
      '',
    ];
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = Buffer.from(good);
      for (let change = random.below(6); change > 0; change--) bytes[random.below(bytes.length)] = random.below(256);
      const response = await post(bytes.toString('latin1'), {
        'content-type': random.pick(types),
        accept: random.pick(['*/*', 'text/event-stream', 'application/graphql-response+json', 'image/png']),
        ...(random.chance(0.2) && { 'graphql-require-preflight': '1' }),
        ...(random.chance(0.1) && { authorization: `Bearer ${'x'.repeat(random.below(9_000))}` }),
      });
      await response.text();
      count(counts, String(response.status));
    }
    process.stdout.write(`requests: ${JSON.stringify(counts)}\n`);

    expect(Object.keys(counts).filter((status) => Number(status) >= 500)).toEqual([]);
    await expectHealthy();
  });

  it(
    'webhooks that are mutilated are taken or refused, and good ones still come in',
    { timeout: TIMEOUT_MS },
    async () => {
      const random = createRandom(SEED + 2);
      const counts: Counts = {};
      const names = fixtureNames('payloads').filter((name) => name.endsWith('.json'));
      for (let round = 0; round < ROUNDS; round++) {
        const payload = JSON.stringify(mutated(fixture(`payloads/${random.pick(names)}`), random)) ?? '';
        const body = random.chance(0.1) ? payload.slice(0, random.below(payload.length + 1)) : payload;
        const headers: Record<string, string> = random.chance(0.1)
          ? { 'x-hub-signature-256': `sha256=${'0'.repeat(random.below(80))}` }
          : {};
        count(counts, String((await server.postWebhook(body, headers)).status));
      }
      process.stdout.write(`webhooks: ${JSON.stringify(counts)}\n`);

      expect(Object.keys(counts).filter((status) => !['200', '400', '401'].includes(status))).toEqual([]);
      const { httpStatus } = await server.sandbox.customerWrites({
        phoneNumberId: number1.phoneNumberId,
        from: '+420601123456',
        text: 'after the storm',
      });
      expect(httpStatus).toBe(200);
      expect(await server.sql(`SELECT 1 FROM message WHERE preview = 'after the storm'`)).toHaveLength(1);
      await expectHealthy();
    },
  );

  it('frames that are none end their own socket alone', { timeout: TIMEOUT_MS }, async () => {
    const random = createRandom(SEED + 3);
    const counts: Counts = {};
    const bystander = server.socket(token);
    const heard = Promise.withResolvers<void>();
    bystander.subscribe(
      { query: 'subscription { messageAdded { cursor } }' },
      { next: () => heard.resolve(), error: (error) => heard.reject(error), complete: () => {} },
    );
    for (let round = 0; round < ROUNDS / 5; round++) count(counts, String(await garbage(random)));
    process.stdout.write(`sockets: ${JSON.stringify(counts)}\n`);

    const { httpStatus } = await server.sandbox.customerWrites({
      phoneNumberId: number1.phoneNumberId,
      from: '+420601123456',
      text: 'still?',
    });
    expect(httpStatus).toBe(200);
    await within(heard.promise, 20_000, 'the bystander heard nothing');
    expect(Object.keys(counts).filter((code) => ['4500', '1011'].includes(code))).toEqual([]);
    await bystander.dispose();
    await expectHealthy();
  });
});

const WAIT_MS = 150;

async function within<T>(work: Promise<T>, ms: number, otherwise: string): Promise<T> {
  const late = new AbortController();
  const tooLate = pause(ms, undefined, { signal: late.signal }).then(() => Promise.reject(new Error(otherwise)));
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    tooLate.catch(() => {});
    late.abort();
  }
}

/** Speaks nonsense on a socket of its own; gives back how it was closed, 0 where it was borne. */
async function garbage(random: ReturnType<typeof createRandom>): Promise<number> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  // One that is refused at once never opens for its client: it is closed.
  await within(
    new Promise((resolve) => socket.once('open', resolve).once('close', resolve)),
    20_000,
    'no socket opens',
  );
  if (random.chance(0.8))
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
  for (let frame = 1 + random.below(8); frame > 0; frame--) {
    if (socket.readyState !== socket.OPEN) break;
    socket.send(nonsense(random), { binary: random.chance(0.2) });
  }
  const code = await Promise.race([closed, new Promise<number>((resolve) => setTimeout(() => resolve(0), WAIT_MS))]);
  socket.terminate();
  return code;
}

function nonsense(random: ReturnType<typeof createRandom>): string | Buffer {
  if (random.chance(0.2)) return Buffer.from(Array.from({ length: random.below(200) }, () => random.below(256)));
  const query = random.pick([
    '{ serverTime }',
    '{',
    'subscription { events { cursor } }',
    'subscription { nothing }',
    '',
    42,
  ]);
  return JSON.stringify({
    id: random.pick(['1', '2', '', 7, null]),
    type: random.pick(['subscribe', 'subscribe', 'complete', 'ping', 'pong', 'next', 'connection_init', 'nothing']),
    payload: random.pick([{ query }, { query, variables: 7 }, { query, extensions: [] }, null, 'text', []]),
  });
}
