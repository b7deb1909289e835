import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appendEvents } from './support/event-log.ts';
import { collect, eventually } from './support/events.ts';
import { openAcknowledged, openRawSocket, type RawSocket } from './support/raw-socket.ts';
import { createTestRedis } from './support/redis.ts';
import { startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;
let redisUrl: string;

beforeAll(async () => {
  redisUrl = (await createTestRedis()).url;
  server = await startTestServer({ settings: { SLOW_CLIENT_SECONDS: '1', REDIS_URL: redisUrl } });
});

afterAll(() => server[Symbol.asyncDispose]());

const EVENTS = 'subscription { events { __typename cursor } }';
const subscribe = (id: string, query = EVENTS) => ({ id, type: 'subscribe', payload: { query } });
const init = () => ({ type: 'connection_init', payload: { authorization: `Bearer ${server.dashboardToken}` } });

describe('a frame out of protocol closes the socket', () => {
  const acknowledged = () => openAcknowledged(server.url, server.dashboardToken);
  const stranger = () => openRawSocket(server.url);

  it.each<[string, number, () => Promise<RawSocket>, (socket: RawSocket) => unknown]>([
    ['what is not JSON', 4400, acknowledged, (socket) => socket.send('{')],
    ['an unknown type', 4400, acknowledged, (socket) => socket.send({ type: 'start', id: '1' })],
    [
      'a subscription without an id',
      4400,
      acknowledged,
      (socket) => socket.send({ type: 'subscribe', payload: { query: EVENTS } }),
    ],
    ['a subscription before the ack', 4401, stranger, (socket) => socket.send(subscribe('1'))],
    ['no credential', 4403, stranger, (socket) => socket.send({ type: 'connection_init' })],
    [
      'a wrong credential',
      4403,
      stranger,
      (socket) => socket.send({ type: 'connection_init', payload: { authorization: 'Bearer x' } }),
    ],
    ['no sub-protocol of ours', 4406, () => openRawSocket(server.url, []), () => {}],
    ['no init in time', 4408, stranger, () => {}],
    [
      'an id that is in use',
      4409,
      acknowledged,
      (socket) => [socket.send(subscribe('1')), socket.send(subscribe('1'))],
    ],
    ['a second init', 4429, acknowledged, (socket) => socket.send(init())],
    ['a frame of 2 MB', 1009, acknowledged, (socket) => socket.send(subscribe('1', ' '.repeat(2 * 1024 * 1024)))],
  ])('%s: %i', async (_what, code, open, act) => {
    const socket = await open();

    act(socket);

    expect(await socket.closed).toBe(code);
  });
});

describe('an operation that fails', () => {
  it.each([
    ['syntax', 'subscription {'],
    ['validation', 'subscription { nothing }'],
    ['arguments', 'subscription { events(after: "nonsense") { cursor } }'],
    ['rights', 'subscription { conversationEvents(conversationId: "Q29udmVyc2F0aW9uOjE=") { cursor } }'],
  ])('by its %s is an error frame of its own, and the socket lives on', async (_kind, query) => {
    const socket = await openAcknowledged(server.url, server.dashboardToken);

    socket.send(subscribe('bad', query));
    const error = await socket.frame(({ id }) => id === 'bad');
    socket.send(subscribe('good'));
    const next = await socket.frame(({ id }) => id === 'good');

    expect([error.type, next.type]).toEqual(['error', 'next']);
    socket.socket.close();
  });
});

describe('an id that was completed is used again', () => {
  const complete = { id: '1', type: 'complete' };
  const asked = (name: string, id = '1') =>
    subscribe(
      id,
      `subscription { events(types: [UNREAD_CHANGED]) { ${name}: __typename ... on UnreadChanged { unreadCount } } }`,
    );

  it.each([
    ['at once', [complete, asked('second')], ['second']],
    ['before the one in between was opened', [complete, asked('gone'), complete, asked('second')], ['second']],
    ['and completed before it was opened', [complete, asked('gone'), complete], []],
  ])('%s: only the last one is heard, until it is completed', async (_when, frames, heard) => {
    const socket = await openAcknowledged(server.url, server.dashboardToken);
    socket.send(asked('control', '2'));
    socket.send(asked('first'));
    await socket.frame((frame) => tells(frame, 'first'));

    for (const frame of frames) socket.send(frame);
    for (const name of heard) await socket.frame((frame) => tells(frame, name));
    await tell(101);
    socket.send(complete);
    await tell(102);

    const told = socket.frames.filter((frame) => frame.id === '1' && /"unreadCount":10\d/.test(JSON.stringify(frame)));
    expect(told.map(({ type, payload }) => [type, payload])).toEqual(
      heard.map((name) => ['next', { data: { events: { [name]: 'UnreadChanged', unreadCount: 101 } } }]),
    );
    expect(socket.frames.filter(({ type }) => type === 'complete')).toEqual([]);
    socket.socket.close();

    async function tell(unreadCount: number): Promise<void> {
      await appendEvents(server, { type: 'UNREAD_CHANGED', data: { unreadCount } });
      await socket.frame((frame) => tells(frame, 'control') && tells(frame, `"unreadCount":${unreadCount}`));
    }
  });

  const tells = (frame: RawSocket['frames'][number], text: string) => JSON.stringify(frame).includes(text);
});

describe('too much', () => {
  it('a thousand subscriptions on one socket: those beyond the limit are refused, the others and other sockets go on', async () => {
    const greedy = await openAcknowledged(server.url, server.dashboardToken);
    const other = server.socket(server.dashboardToken);
    const live = collect<{ events: { __typename: string } }>(other, EVENTS);
    await live.take(1);

    for (let id = 0; id < 1_000; id++) greedy.send(subscribe(String(id)));
    await eventually(async () => new Set(greedy.frames.map(({ id }) => id)).size > 1_000);

    const refused = greedy.frames.filter(({ type }) => type === 'error');
    expect(refused).toHaveLength(900);
    expect(JSON.stringify(refused[0]?.payload)).toContain('RATE_LIMITED');
    await appendEvents(server, { type: 'UNREAD_CHANGED', data: {} });
    expect((await live.take(2))[1]?.events.__typename).toBe('UnreadChanged');
    greedy.socket.close();
    await other.dispose();
  });

  it('for ten that never read: they are closed alone, memory is bounded, and the others get every event in order', async () => {
    await eventually(async () => (await openSockets()) === 0);
    const sleepers = await Promise.all(Array.from({ length: 10 }, fallAsleep));
    const other = server.socket(server.dashboardToken);
    const live = collect<{ events: { changedFields?: string[] } }>(
      other,
      'subscription { events { ... on ConversationChanged { changedFields } } }',
    );
    await live.take(1);
    const before = memoryMb();

    const long = 'x'.repeat(4_000);
    for (let batch = 0; batch < 20; batch++) {
      const events = Array.from({ length: 250 }, (_, index) => ({
        type: 'CONVERSATION_CHANGED' as const,
        conversationId: '00000000-0000-4000-8000-000000000000',
        data: { changedFields: [String(batch * 250 + index), long] },
      }));
      await appendEvents(server, ...events);
    }
    const seen = (await live.take(5_001, 40_000)).slice(1).map(({ events }) => Number(events.changedFields?.[0]));
    const grown = memoryMb() - before;
    // Woken before they are given up, they would read everything and stay.
    await eventually(async () => (await openSockets()) === 1);
    for (const { socket } of sleepers) socket.resume();
    const codes = await Promise.all(sleepers.map(({ closed }) => closed));
    live.all.length = 0;

    expect(seen).toEqual(Array.from({ length: 5_000 }, (_, index) => index));
    // Twenty megabytes were sent to each of the ten.
    expect(grown).toBeLessThan(120);
    // What it had not read of the close frame is lost with the connection.
    expect(codes.filter((code) => code !== 1006 && code !== 1013)).toEqual([]);
    await other.dispose();
  });

  it('subscribing and unsubscribing 10,000 times leaves nothing behind', async () => {
    const socket = await openAcknowledged(server.url, server.dashboardToken);
    await churn(socket, 500);
    const [memory, clients] = [memoryMb(), await redisClients()];

    await churn(socket, 10_000);

    expect(memoryMb() - memory).toBeLessThan(8);
    expect(await redisClients()).toBe(clients);
    socket.socket.close();
  });
});

/** Subscribed, and then never reads again. */
async function fallAsleep(): Promise<RawSocket> {
  const sleeper = await openAcknowledged(server.url, server.dashboardToken);
  sleeper.send(subscribe('s', 'subscription { events { cursor ... on ConversationChanged { changedFields } } }'));
  await sleeper.frame(({ id }) => id === 's');
  sleeper.socket.pause();
  return sleeper;
}

/** As many as one socket may have. */
const MAX_OPEN = 100;

async function churn(socket: RawSocket, times: number): Promise<void> {
  for (let done = 0; done < times; done += MAX_OPEN) {
    const ids = Array.from({ length: MAX_OPEN }, (_, index) => `${done}-${index}`);
    for (const id of ids) socket.send(subscribe(id));
    await eventually(async () => new Set(socket.frames.map(({ id }) => id)).size >= MAX_OPEN);
    for (const id of ids) socket.send({ id, type: 'complete' });
    // The answer to a ping comes after everything that was sent before it.
    socket.frames.length = 0;
    socket.send({ type: 'ping' });
    await socket.frame(({ type }) => type === 'pong');
    socket.frames.length = 0;
  }
}

async function openSockets(): Promise<number> {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^cdesk_sockets (\d+)$/m.exec(metrics)?.[1]);
}

async function redisClients(): Promise<number> {
  const redis = new Redis(redisUrl);
  const list = String(await redis.client('LIST'));
  redis.disconnect();
  // Other files' clients are in other databases of the same Redis.
  const database = ` db=${new URL(redisUrl).pathname.slice(1)} `;
  return list.split('\n').filter((client) => client.includes(database)).length;
}

function memoryMb(): number {
  setFlagsFromString('--expose-gc');
  // The flag makes the function; a fresh context is where it appears.
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1024 / 1024;
}
