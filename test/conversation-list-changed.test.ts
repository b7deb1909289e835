import { print } from 'graphql';
import type { GraphQLClient } from 'graphql-request';
import type { Client } from 'graphql-ws';
import { v7 as uuid } from 'uuid';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  ConversationListChangesDocument,
  ConversationListDocument,
  type ConversationListChangesSubscription,
  type ConversationListChangesSubscriptionVariables,
} from '../src/generated/client/graphql.ts';
import { decodeStreamCursor } from '../src/events/cursor.ts';
import { createTestDatabase, type TestDatabase } from './support/database.ts';
import { collect, eventually, type Collected } from './support/events.ts';
import { beginConversation, send } from './support/sends.ts';
import { number1, number2, startTestServer, type TestServer } from './support/server.ts';
import { logStatements, type StatementLog } from './support/statements.ts';
import { storeConversations, storedConversation } from './support/stored-conversations.ts';

let server: TestServer;
let alena: GraphQLClient;
let sockets: Client[];
let database: TestDatabase | null;
let statements: StatementLog | null;

beforeEach(() => {
  sockets = [];
  database = null;
  statements = null;
});

afterEach(async () => {
  for (const socket of sockets) await socket.dispose();
  await server[Symbol.asyncDispose]();
  // Not before the server, which would have to stop without its database.
  await statements?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
  vi.useRealTimers();
});

async function start(): Promise<void> {
  server = await startTestServer();
  alena = await server.as('alena');
}

type Live = Collected<ConversationListChangesSubscription>;

async function follow(variables: ConversationListChangesSubscriptionVariables, token?: string): Promise<Live> {
  const socket = server.socket(token ?? (await server.tokenOf('alena')));
  sockets.push(socket);
  const after = variables.after ?? (await asOf());
  const live: Live = collect(socket, print(ConversationListChangesDocument), { ...variables, after });
  await isFollowing(socket);
  return live;
}

/** What was subscribed to before on this socket is open by the time a later stream says where it stands. */
async function isFollowing(socket: Client): Promise<void> {
  const later = collect(socket, 'subscription { events(types: [TEMPLATE_CHANGED]) { __typename } }');
  await Promise.race([later.take(1, 20_000), later.ended]);
  later.stop();
}

async function asOf(): Promise<string> {
  return (await alena.request(ConversationListDocument, { first: 1 })).conversations?.asOf ?? '';
}

function write(from: string, text = 'Dobrý den', to: { phoneNumberId: string } = number1): Promise<unknown> {
  return server.sandbox.customerWrites({ phoneNumberId: to.phoneNumberId, from, name: from, text });
}

const changes = ({ all }: Live) =>
  all.map(({ conversationListChanged: { change, conversation } }) => [
    change,
    conversation?.participant.phoneNumber ?? null,
  ]);

/** A second list that has everything tells how far the stream has come: what it has shown, the others have been through. */
async function settled(live: Live, phoneNumber: string): Promise<void> {
  const everything = await follow({});
  await write(phoneNumber, 'the last one');
  await eventually(async () => changes(everything).some(([, number]) => number === phoneNumber), 20_000);
  await eventually(async () => live.errors.length === 0, 20_000);
}

describe('a filtered list is told', () => {
  it('what entered, what changed and what left', async () => {
    await start();
    const live = await follow({ filter: { beaconOn: true } });

    await write('+420601000001');
    await eventually(async () => live.all.length >= 1, 20_000);
    await write('+420601000001', 'a ještě něco');
    await eventually(async () => live.all.length >= 2, 20_000);
    const { conversations } = await alena.request(ConversationListDocument, { first: 1 });
    const input = { conversationId: conversations?.nodes[0]?.id, text: 'Odpověď', idempotencyKey: 'k' };
    await alena.request(
      'mutation ($input: ReplyToConversationInput!) { replyToConversation(input: $input) { replayed } }',
      {
        input,
      },
    );
    await eventually(async () => changes(live).some(([change]) => change === 'LEFT'), 20_000);
    await server.sandbox.settled();
    await settled(live, '+420601000009');

    const told = live.all.map(({ conversationListChanged }) => conversationListChanged);
    const ofFirst = told.filter(({ conversationId }) => conversationId === input.conversationId);
    expect(ofFirst[0]?.change).toBe('ENTERED');
    expect(ofFirst.map(({ change }) => change)).toContain('UPDATED');
    expect(ofFirst.at(-1)).toMatchObject({ change: 'LEFT', conversation: null });
    expect(changes(live).at(-1)?.[1]).toBe('+420601000009');
  });

  it('once that a new conversation entered, and of each later change that it changed', async () => {
    await start();
    const live = await follow({ filter: { hasUnread: true } });

    for (const text of ['první', 'druhá', 'třetí', 'čtvrtá']) {
      const before = live.all.length;
      await write('+420601000001', text);
      await eventually(async () => live.all.length > before, 20_000);
    }
    await settled(live, '+420601000009');

    const told = changes(live).flatMap(([change, phone]) => (phone === '+420601000001' ? change : []));
    expect(told[0]).toBe('ENTERED');
    expect(told.length).toBeGreaterThanOrEqual(4);
    expect(new Set(told.slice(1))).toEqual(new Set(['UPDATED']));
  });

  it('by search and by a saved filter, and both together mean both', async () => {
    await start();
    const saved = await alena.request<{ createSavedFilter: { savedFilter: { id: string } } }>(
      `mutation { createSavedFilter(input: { name: "Jedna", filter: { beaconOn: true }, search: { query: "601000001" } }) { savedFilter { id } } }`,
    );
    const savedFilterId = saved.createSavedFilter.savedFilter.id;
    const [bySaved, byBoth, bySearch] = [
      await follow({ savedFilterId }),
      await follow({ savedFilterId, filter: { lastMessage: { match: 'CONTAINS', value: 'faktura' } } }),
      await follow({ search: { query: 'FAKTURA', columns: ['MESSAGES'] } }),
    ];

    await write('+420601000001', 'Faktúra');
    await write('+420601000001', 'nic');
    await write('+420601000002', 'faktura');
    await settled(bySaved, '+420601000001');

    const last = (live: Live) =>
      new Map(
        changes(live).map(([change], index) => [live.all[index]?.conversationListChanged.conversationId, change]),
      );
    const isIn = (live: Live) => [...last(live).values()].filter((change) => change !== 'LEFT').length;
    expect([isIn(bySaved), isIn(byBoth), isIn(bySearch)]).toEqual([1, 0, 2]);
  });

  it('"me" is each operator, though all send the same text', async () => {
    await start();
    await write('+420601000001');
    const variables = { filter: { lastRepliedByMe: true }, after: await asOf() };
    const mine = await follow(variables);
    const theirs = await follow(variables, await server.tokenOf('boris'));

    const { conversations } = await alena.request(ConversationListDocument, { first: 1 });
    const input = { conversationId: conversations?.nodes[0]?.id, text: 'Odpověď', idempotencyKey: 'k' };
    await alena.request(
      'mutation ($input: ReplyToConversationInput!) { replyToConversation(input: $input) { replayed } }',
      {
        input,
      },
    );
    await eventually(async () => changes(mine).some(([change]) => change !== 'LEFT'), 20_000);
    await settled(theirs, '+420601000009');

    expect(changes(mine).filter(([change]) => change !== 'LEFT')[0]).toEqual(['ENTERED', '+420601000001']);
    expect(changes(theirs).filter(([change]) => change !== 'LEFT')).toEqual([]);
  });

  it('who replied last, once that is settled and though nothing else happens', async () => {
    await start();
    const { conversationId, from } = await beginConversation(server);
    const mine = await follow({ filter: { lastRepliedByMe: true } });
    const unanswered = await follow({ filter: { neverReplied: true } });
    server.sandbox.fail({ kind: 'drop-statuses', to: from });

    await send(alena, 'replyToConversation', { conversationId, text: 'Odpověď' });
    await eventually(async () => changes(mine).some(([change]) => change === 'ENTERED'), 10_000);
    await eventually(async () => changes(unanswered).some(([change]) => change === 'LEFT'), 10_000);

    await send(alena, 'replyToConversation', { conversationId, text: 'A ještě' });
    await eventually(async () => server.sandbox.ledger({ to: from }).length === 2, 10_000);
    const told = await server.sql(`SELECT FROM event WHERE data -> 'changedFields' ? 'lastRepliedBy'`);
    expect(told).toHaveLength(1);
  });

  it('what left at local midnight and what entered, though nothing happened', async () => {
    vi.useFakeTimers({ toFake: ['Date'], shouldAdvanceTime: true });
    vi.setSystemTime(new Date('2026-10-25T22:59:56Z'));
    await start();
    const [number] = await server.sql<{ id: string }>('SELECT id FROM business_number WHERE slot = 1');
    const at = (time: string, number_: number, phoneNumber: string) =>
      storedConversation({
        number: number_,
        businessNumberId: number?.id,
        phoneNumber,
        lastMessageAt: new Date(time),
        messages: ['x'],
      });
    await storeConversations(server, [
      at('2026-10-25T10:00:00Z', 1, '+420601000001'),
      at('2026-10-25T23:30:00Z', 2, '+420601000002'),
      at('2026-10-20T23:30:00Z', 3, '+420601000003'),
    ]);
    const filter = { lastMessageAt: { relative: 'TODAY' as const } };
    const before = await asOf();
    const live = await follow({ filter });
    const inNewYork = await follow({ filter, timeZone: 'America/New_York' });

    await eventually(async () => live.all.length === 2, 20_000);

    expect(changes(live).toSorted()).toEqual([
      ['ENTERED', '+420601000002'],
      ['LEFT', null],
    ]);
    expect(inNewYork.all).toEqual([]);
    // Who was away over midnight and resumes from before it is told the same.
    await server.sql(
      `INSERT INTO event (seq, epoch, type, occurred_at, recorded_at)
      SELECT 1, epoch, 'UNREAD_CHANGED', $1, $1 FROM stream_head ON CONFLICT (seq) DO UPDATE SET recorded_at = $1`,
      ['2026-10-25T22:00:00Z'],
    );
    await server.sql('UPDATE stream_head SET seq = greatest(seq, 1)');
    const [head] = await server.sql<{ epoch: string; seq: number }>('SELECT epoch, seq FROM stream_head');
    const cursor = Buffer.from(`1.${head?.epoch}.${head?.seq}`).toString('base64url');
    await server.sql('UPDATE event SET recorded_at = $1', ['2026-10-25T22:00:00Z']);
    const resumed = await follow({ filter, after: cursor });
    await eventually(async () => resumed.all.length === 2, 20_000);
    expect(changes(resumed).toSorted()).toEqual(changes(live).toSorted());
    expect(before).not.toBe('');
  });
});

describe('rights', () => {
  it('that are taken away are a LEFT for each conversation that was seen, and then silence', async () => {
    await start();
    await write('+420601000001', 'first', number1);
    await write('+420601000002', 'second', number2);
    const live = await follow({}, server.dashboardToken);
    await write('+420601000001', 'again', number1);
    await eventually(async () => changes(live).some(([, number]) => number === '+420601000001'), 20_000);

    await server.sql(`UPDATE api_token SET business_number_ids = ARRAY(SELECT id FROM business_number WHERE slot = 2)`);
    await eventually(async () => changes(live).some(([change]) => change === 'LEFT'), 20_000);
    const told = live.all.length;
    await write('+420601000001', 'nobody hears this', number1);
    await write('+420601000002', 'this they do', number2);
    await eventually(async () => changes(live).at(-1)?.[1] === '+420601000002', 20_000);

    const left = changes(live).filter(([change]) => change === 'LEFT');
    expect(left).toHaveLength(1);
    // Whoever stores the newest cursor does not hear everything again.
    const sequences = live.all.map(({ conversationListChanged: { cursor } }) => decodeStreamCursor(cursor).seq);
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
    expect(
      changes(live)
        .slice(told)
        .map(([, number]) => number),
    ).not.toContain('+420601000001');
  });

  it('that are missing refuse the list', async () => {
    await start();
    await server.sql(`UPDATE api_token SET scopes = '{READ_EVENTS}'`);
    const refused = await follow({}, server.dashboardToken);
    await refused.ended;

    expect(JSON.stringify(refused.errors)).toContain('FORBIDDEN');
  });

  it('are needed for what is filtered and searched', async () => {
    await start();
    await server.sql(`UPDATE api_token SET scopes = '{READ_EVENTS,READ_CONVERSATIONS}'`);
    const filtered = await follow(
      { filter: { participant: { match: 'CONTAINS', value: 'x' } } },
      server.dashboardToken,
    );
    const searched = await follow({ search: { query: 'x', columns: ['MESSAGES'] } }, server.dashboardToken);
    await Promise.all([filtered.ended, searched.ended]);

    expect(JSON.stringify(filtered.errors)).toContain('filter.participant');
    expect(JSON.stringify(searched.errors)).toContain('search.columns');
  });
});

describe('bad input ends the subscription with an error that names it', () => {
  it.each<[fact: string, variables: Record<string, unknown>, said: string]>([
    [
      'a filter that is too deep',
      { filter: { and: [{ and: [{ and: [{ and: [{ and: [{}] }] }] }] }] } },
      'filter.and.0',
    ],
    [
      'a saved filter that is none',
      { savedFilterId: Buffer.from(`SavedFilter:${uuid()}`).toString('base64') },
      'savedFilterId',
    ],
    ['a cursor that is none', { after: 'nonsense' }, 'after'],
    ['an unknown zone', { timeZone: 'x/y' }, 'IANA time zone'],
  ])('%s', async (_fact, variables, said) => {
    await start();
    const live = await follow(variables);
    await live.ended;

    expect(JSON.stringify(live.errors)).toContain(said);
    expect(live.all).toEqual([]);
  });
});

describe('many subscribers with the same filter', () => {
  it('cost no more evaluations than one', async () => {
    database = await createTestDatabase();
    const log = await logStatements(database.url);
    statements = log;
    server = await startTestServer({ databaseUrl: log.url });
    alena = await server.as('alena');
    const socket = server.socket(await server.tokenOf('alena'));
    sockets.push(socket);
    const variables = { filter: { hasUnread: true }, after: await asOf() };
    const query = print(ConversationListChangesDocument);
    const live: Live[] = [];
    for (let index = 0; index < 90; index++) live.push(collect(socket, query, variables));
    await isFollowing(socket);
    await write('+420601000001');
    await eventually(async () => live.every(({ all }) => all.length > 0), 30_000);
    await server.sandbox.settled();

    const run = await log.of(async () => {
      await write('+420601000002');
      const shows = (one: Live) => changes(one).some(([, phone]) => phone === '+420601000002');
      await eventually(async () => live.every(shows), 30_000);
    });

    // One for the first event of a webhook, one for those that come with it; not one for each subscriber.
    const evaluations = run.filter((statement) => /stream_head h\s+LEFT JOIN LATERAL/.test(statement));
    expect(evaluations.length).toBeGreaterThan(0);
    expect(evaluations.length).toBeLessThanOrEqual(4);
  });
});
