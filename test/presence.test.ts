import type { GraphQLClient } from 'graphql-request';
import type { Client } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadEnv } from '../src/env.ts';
import { createLog } from '../src/log.ts';
import { createConversationPresence } from '../src/presence/conversation-presence.ts';
import { signIn } from '../src/sign-in.ts';
import { createTestDatabase, runSql } from './support/database.ts';
import { collect, eventually, type Collected } from './support/events.ts';
import { patience } from './support/patience.ts';
import { batchOf, textMessage } from './support/payloads.ts';
import { sharedSettings, startServerProcess } from './support/process.ts';
import { createTestRedis, startRedisServer } from './support/redis.ts';
import type { RedisServer } from './support/redis-server.ts';
import { number1, postSigned, startTestServer, type TestServer } from './support/server.ts';
import { clientOf, socketOf, tokenFor } from './support/sign-in.ts';

/** How long a heartbeat holds in these tests. */
const HOLD_SECONDS = 2;
const settings = { PRESENCE_SECONDS: String(HOLD_SECONDS) };
/** 200 in the full size. */
const OPERATORS = Number(process.env.PRESENCE_OPERATORS ?? 40);

const undo = new AsyncDisposableStack();

afterAll(() => undo.disposeAsync());

function socketFor(server: { url: string }, token: string): Client {
  const socket = socketOf(server.url, token);
  undo.defer(async () => socket.dispose());
  return socket;
}

/** The token of an operator of whom no other test knows. */
function newOperator(login: string, lifetimeSeconds?: number): Promise<string> {
  const env = loadEnv({ ...sharedSettings, DATA_DIR: '.cache' });
  return signIn(env, { subject: login, login, permissions: ['READ_CONVERSATIONS'] }, lifetimeSeconds);
}

type Change = { operatorPresenceChanged: { loginState: string; operator: { login: string; loginState: string } } };

async function follow(server: TestServer): Promise<Collected<Change>> {
  const socket = socketFor(server, await tokenFor('boris'));
  const head = collect<{ stream: { head: string } }>(socket, '{ stream { head } }');
  const [start] = await head.take(1);
  return collect<Change>(
    socket,
    'subscription Follow($after: EventCursor) { operatorPresenceChanged(after: $after) { loginState operator { login loginState } } }',
    { after: start?.stream.head },
  );
}

const statesOf = (live: Collected<Change>, login: string) =>
  live.all
    .filter(({ operatorPresenceChanged: { operator } }) => operator.login === login)
    .map(({ operatorPresenceChanged }) => operatorPresenceChanged.loginState);

/** The states that were told, once there are so many of them. */
async function statesAfter(live: Collected<Change>, login: string, count: number): Promise<string[]> {
  await eventually(async () => statesOf(live, login).length >= count, patience(HOLD_SECONDS * 4_000)).catch(() => {});
  return statesOf(live, login);
}

describe('the login state', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = undo.use(await startTestServer({ settings }));
  });

  it.concurrent('changes once however many heartbeats and tabs there are, and goes idle after the last', async () => {
    const token = await newOperator('tabbed');
    const live = await follow(server);
    const tabs = [socketFor(server, token), socketFor(server, token)] as const;
    const subscription = 'subscription { events { __typename } }';
    await Promise.all(tabs.map((tab) => collect(tab, subscription).take(1)));
    expect(await statesAfter(live, 'tabbed', 1)).toEqual(['ONLINE']);

    await tabs[0].dispose();
    await new Promise((resolve) => setTimeout(resolve, HOLD_SECONDS * 1_500));
    expect(statesOf(live, 'tabbed')).toEqual(['ONLINE']);

    await tabs[1].dispose();
    expect(await statesAfter(live, 'tabbed', 2)).toEqual(['ONLINE', 'IDLE']);
    const [{ last_seen_at: lastSeenAt } = {}] = await server.sql<{ last_seen_at: Date }>(
      `SELECT last_seen_at FROM operator WHERE login = 'tabbed'`,
    );
    expect(Date.now() - (lastSeenAt?.getTime() ?? 0)).toBeLessThan(patience(HOLD_SECONDS * 4_000));
  });

  it.concurrent('is online after a request, idle after a while, and logged out when the log-in ends', async () => {
    const live = await follow(server);
    const lifetime = HOLD_SECONDS * 3;
    await server.withToken(await newOperator('brief', lifetime)).request('{ serverTime }');

    expect(await statesAfter(live, 'brief', 3)).toEqual(['ONLINE', 'IDLE', 'LOGGED_OUT']);
  });

  it.concurrent('is logged out by the operator, too', async () => {
    const live = await follow(server);
    const leaving = server.withToken(await newOperator('leaving'));
    await leaving.request('{ serverTime }');
    expect(await statesAfter(live, 'leaving', 1)).toEqual(['ONLINE']);

    await leaving.request('mutation { signOut { errors { code } } }');

    expect(await statesAfter(live, 'leaving', 2)).toEqual(['ONLINE', 'LOGGED_OUT']);
  });

  it.concurrent('runs out for a presence in a conversation, which is told at once and when it changes', async () => {
    const id = await withConversation(server);
    const live = await watch(server, id);
    expect(await shownAfter(live, 1)).toEqual(['']);

    expect(await (await server.as('alena')).request(SET, { id, present: true, typing: true })).toEqual({
      setConversationPresence: {
        conversation: { presentOperators: [{ operator: { login: 'alena' }, typing: true }] },
        errors: [],
      },
    });

    expect(await shownAfter(live, 4)).toEqual(['', 'alena types', 'alena', '']);
  });
});

it('of a process that was killed runs out on the other one: who is online, and who is in a conversation', async () => {
  const redis = await createTestRedis();
  const database = undo.use(await createTestDatabase());
  const shared = { DATABASE_URL: database.url, REDIS_URL: redis.url, ...settings, DATABASE_POOL_SIZE: '5' };
  const [first, second] = await Promise.all([startServerProcess(shared), startServerProcess(shared)]);
  undo.use(first);
  undo.use(second);
  const id = await withConversation(second);
  const live = await watch(second, id);
  await live.take(1);
  const tab = socketOf(first.url, await tokenFor('alena'));
  await collect(tab, 'subscription { events { __typename } }').take(1);
  await tell(tab, id, true);
  expect(await shownAfter(live, 2)).toEqual(['', 'alena']);
  const crowd = await Promise.all(
    Array.from({ length: OPERATORS }, async (_, index) => socketOf(first.url, await newOperator(`crowd-${index}`))),
  );
  const stay = crowd.map((socket) => collect(socket, 'subscription { events { __typename } }'));
  await Promise.all(stay.map((one) => one.take(1, patience(20_000))));
  await eventually(async () => (await countCrowd(database.url, 'ONLINE')) === OPERATORS, patience(20_000));

  first.process.kill('SIGKILL');
  const killedAt = Date.now();
  await eventually(async () => (await countCrowd(database.url, 'ONLINE')) === 0, patience(HOLD_SECONDS * 5_000));

  expect(Date.now() - killedAt).toBeLessThan(patience(HOLD_SECONDS * 3_000));
  expect(await countCrowd(database.url, 'IDLE')).toBe(OPERATORS);
  const told = await runSql(
    database.url,
    `SELECT data->>'loginState' AS state, count(*)::int AS n FROM event e JOIN operator o ON o.id = e.operator_id
     WHERE type = 'OPERATOR_PRESENCE_CHANGED' AND login LIKE 'crowd-%' GROUP BY 1 ORDER BY 1`,
  );
  expect(told).toEqual([
    { state: 'IDLE', n: OPERATORS },
    { state: 'ONLINE', n: OPERATORS },
  ]);
  expect(await shownAfter(live, 3)).toEqual(['', 'alena', '']);
  expect(second.process.exitCode).toBeNull();
  for (const socket of [tab, ...crowd]) socket.terminate();
});

async function countCrowd(databaseUrl: string, state: string): Promise<number | undefined> {
  const [row] = await runSql<{ n: number }>(
    databaseUrl,
    `SELECT count(*)::int AS n FROM operator WHERE login LIKE 'crowd-%' AND announced_state = $1`,
    [state],
  );
  return row?.n;
}

type Seen = { conversationPresence: { operator: { login: string }; typing: boolean; since: string }[] };

const SET = `mutation Set($id: ID!, $present: Boolean!, $typing: Boolean!) {
  setConversationPresence(input: { conversationId: $id, present: $present, typing: $typing }) {
    conversation { presentOperators { operator { login } typing } } errors { code } } }`;

async function withConversation(server: { url: string }): Promise<string> {
  await postSigned(server.url, JSON.stringify(batchOf(number1.phoneNumberId, [textMessage()])));
  const alena = clientOf(server.url, await tokenFor('alena'));
  const { conversations } = await alena.request<{ conversations: { nodes: { id: string }[] } }>(
    '{ conversations(first: 1) { nodes { id } } }',
  );
  return conversations.nodes[0]?.id ?? '';
}

async function watch(server: { url: string }, id: string): Promise<Collected<Seen>> {
  return collect<Seen>(
    socketFor(server, await tokenFor('boris')),
    'subscription Watch($id: ID!) { conversationPresence(conversationId: $id) { operator { login } typing since } }',
    { id },
  );
}

/** Tells presence over one connection, as a tab does. */
async function tell(socket: Client, id: string, present: boolean, typing = false): Promise<void> {
  await collect(socket, SET, { id, present, typing }).take(1);
}

const shown = (live: Collected<Seen>) =>
  live.all.map(({ conversationPresence }) =>
    conversationPresence.map(({ operator, typing }) => `${operator.login}${typing ? ' types' : ''}`).join(', '),
  );

async function shownAfter(live: Collected<Seen>, count: number): Promise<string[]> {
  await eventually(async () => live.all.length >= count, patience(HOLD_SECONDS * 4_000)).catch(() => {});
  return shown(live);
}

describe('presence in a conversation', () => {
  let redis: RedisServer;
  let server: TestServer;
  let other: TestServer;
  let alena: GraphQLClient;
  let id: string;

  beforeAll(async () => {
    redis = undo.use(await startRedisServer());
    const shared = { PRESENCE_SECONDS: '60', REDIS_URL: redis.url };
    server = undo.use(await startTestServer({ settings: shared }));
    other = undo.use(await startTestServer({ settings: shared, databaseUrl: server.databaseUrl }));
    alena = await server.as('alena');
    id = await withConversation(server);
  });

  it('counts two tabs as one person, who stays with the last of them', async () => {
    const live = await watch(server, id);
    await live.take(1);
    const token = await server.tokenOf('alena');
    const tabs = [socketFor(server, token), socketFor(server, token)] as const;
    // A tab keeps its socket open with something that it follows.
    for (const tab of tabs) await collect(tab, 'subscription { events { __typename } }').take(1);
    await tell(tabs[0], id, true);
    expect(await shownAfter(live, 2)).toEqual(['', 'alena']);
    await tell(tabs[1], id, true, true);
    expect(await shownAfter(live, 3)).toEqual(['', 'alena', 'alena types']);

    await tell(tabs[1], id, false);
    expect(await shownAfter(live, 4)).toEqual(['', 'alena', 'alena types', 'alena']);
    await tabs[0].dispose();
    expect(await shownAfter(live, 5)).toEqual(['', 'alena', 'alena types', 'alena', '']);
  });

  it('does not begin with what was on its way when its tab was closed', async () => {
    const log = createLog({ logLevel: 'warn', logFormat: 'json' });
    await using presence = createConversationPresence({ redisUrl: undefined, holdMs: 60_000, log });
    const told = { conversationId: id, operatorId: 'alena', present: true, typing: true };

    presence.leave('closed');
    const hasBegun = await presence.set({ ...told, clientId: 'closed' });

    expect([hasBegun, await presence.of([id])]).toEqual([false, [[]]]);
    expect(await presence.set({ ...told, clientId: 'open' })).toBe(true);
    expect(await presence.of([id])).toMatchObject([[{ operatorId: 'alena', typing: true }]]);
  });

  it('is refused to tokens, and of a conversation that nobody may see', async () => {
    const token = await server.withToken(server.dashboardToken).request(SET, { id, present: true, typing: false });
    const unknown = await alena.request(SET, {
      id: Buffer.from('Conversation:00000000-0000-7000-8000-000000000000').toString('base64'),
      present: true,
      typing: false,
    });

    expect([token, unknown]).toMatchObject([
      { setConversationPresence: { conversation: null, errors: [{ code: 'FORBIDDEN' }] } },
      { setConversationPresence: { conversation: null, errors: [{ code: 'NOT_FOUND' }] } },
    ]);
  });

  it('goes from process to process through Redis, and a killed Redis takes nobody along who is here', async () => {
    const live = await watch(other, id);
    await live.take(1);
    await alena.request(SET, { id, present: true, typing: false });
    expect(await shownAfter(live, 2)).toEqual(['', 'alena']);

    await redis.kill();
    const PRESENT = 'query Present($id: ID!) { conversation(id: $id) { presentOperators { operator { login } } } }';
    expect(await alena.request(PRESENT, { id })).toEqual({
      conversation: { presentOperators: [{ operator: { login: 'alena' } }] },
    });
    await redis.start();
    await eventually(async () => {
      await alena.request(SET, { id, present: true, typing: false });
      const seen = await (
        await other.as('boris')
      ).request<{ conversation: { presentOperators: unknown[] } }>(PRESENT, { id });
      return seen.conversation.presentOperators.length === 1;
    }, patience(10_000));
  });
});
