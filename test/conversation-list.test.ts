import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ClientError, gql } from 'graphql-request';
import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashApiToken } from '../src/services/api-token-secret.ts';
import { globalId } from '../src/schema/global-id.ts';
import { storeConversations, storedConversation, type StoredConversation } from './support/stored-conversations.ts';
import { startTestServer, type TestServer } from './support/server.ts';

const LIST = gql`
  query List(
    $first: Int
    $after: String
    $last: Int
    $before: String
    $filter: ConversationFilterInput
    $search: ConversationSearchInput
    $orderBy: ConversationOrderInput
    $timeZone: TimeZone
  ) {
    conversations(
      first: $first
      after: $after
      last: $last
      before: $before
      filter: $filter
      search: $search
      orderBy: $orderBy
      timeZone: $timeZone
    ) {
      nodes {
        number
      }
      pageInfo {
        endCursor
      }
    }
  }
`;

type Listed = { conversations: { nodes: { number: number }[]; pageInfo: { endCursor: string } } };

let server: TestServer;
let numbers: string[];

beforeAll(async () => {
  server = await startTestServer();
  const rows = await server.sql<{ id: string }>('SELECT id FROM business_number ORDER BY slot');
  numbers = rows.map(({ id }) => id);
  await storeConversations(server, [
    conversation({ number: 1, name: 'Jana Veselá', phoneNumber: '+420601123456', messages: ['první', 'faktura 2026'] }),
    conversation({ number: 12, name: 'Petr Malý', messages: ['kde je zásilka'], requestCodes: ['R-1'] }),
    conversation({ number: 7, name: 'Luc', phoneNumber: '+33612003456' }),
    conversation({ number: 120, name: 'Ivan', messages: ['100%_hotovo'], businessNumberId: numbers[1] ?? '' }),
  ]);
});

afterAll(() => server[Symbol.asyncDispose]());

function conversation(told: Partial<StoredConversation>): StoredConversation {
  return storedConversation({ businessNumberId: numbers[0] ?? '', ...told });
}

async function numbersOf(variables: Record<string, unknown>, client = server.as('alena')): Promise<number[]> {
  const { conversations } = await (await client).request<Listed>(LIST, { first: 10, ...variables });
  return conversations.nodes.map((node) => node.number).toSorted((a, b) => a - b);
}

async function refusalOf(variables: Record<string, unknown>, client = server.as('alena')) {
  const error = await (await client).request(LIST, variables).catch((thrown: unknown) => thrown);
  if (!(error instanceof ClientError))
    throw new Error(`it was not refused: ${JSON.stringify(variables).slice(0, 200)}`);
  const [first] = error.response.errors ?? [];
  return { code: first?.extensions.code, argument: first?.extensions.argument, message: first?.message };
}

describe('searching', () => {
  it.each([
    ['jana', [1]],
    ['VESELA', [1]],
    ['601 123 456', [1]],
    ['+420 601 12', [1]],
    ['00420601123456', [1]],
    ['00 420 601 123 456', [1]],
    ['+ 420 601 123 456', [1]],
    ['+33 6 12 00 34 56', [7]],
    ['33 6 12 00 zásilka', []],
    ['\u202A+420 601 123 456\u202C', [1]],
    ['601\u2011123\u2011456', [1]],
    ['prvni', [1]],
    ['ve', [1]],
    ['12', [12, 120]],
    ['r-1', [12]],
    ['100%_', [120]],
    ['100__hotovo', []],
    ['zásilka petr', [12]],
    ['zásilka jana', []],
    ['   ', [1, 7, 12, 120]],
    ['.*', []],
    [`${'x'.repeat(199)}'`, []],
    ['a\u0000b', []],
    ['sales', [120]],
  ])('%j finds %j', async (query, expected) => {
    expect(await numbersOf({ search: { query } })).toEqual(expected);
  });

  it.each([
    ['+420 601 123 456', [1]],
    ['601 123', [1]],
    ['00 420 601', [1]],
  ])('a participant %j is found in any spelling of the number', async (value, expected) => {
    expect(await numbersOf({ filter: { participant: { match: 'CONTAINS', value } } })).toEqual(expected);
    expect(await numbersOf({ filter: { anyColumn: { match: 'CONTAINS', value } } })).toEqual(expected);
  });

  it('a participant of just this number is found in any spelling of it', async () => {
    for (const value of ['+420 601 123 456', '00420601123456', '420/601-123-456'])
      expect(await numbersOf({ filter: { participant: { match: 'EQUALS', value } } })).toEqual([1]);
  });

  it.each([
    ['7', [7]],
    ['007', []],
    ['0', []],
    ['2147483648', []],
  ])('a column is %j where it is written like that', async (value, expected) => {
    expect(await numbersOf({ filter: { anyColumn: { match: 'EQUALS', value } } })).toEqual(expected);
  });

  it('looks only into the columns that are named', async () => {
    expect(await numbersOf({ search: { query: 'první', columns: ['MESSAGES'] } })).toEqual([1]);
    expect(await numbersOf({ search: { query: 'první', columns: ['LAST_MESSAGE', 'PARTICIPANT'] } })).toEqual([]);
  });
});

describe('what cannot be asked for is refused and named', () => {
  const deep = (levels: number): object => (levels === 1 ? { beaconOn: true } : { and: [deep(levels - 1)] });

  it.each<[fact: string, variables: Record<string, unknown>, argument: string]>([
    ['both first and last', { first: 1, last: 1 }, 'last'],
    ['neither first nor last', {}, 'first'],
    ['a page of nothing', { first: 0 }, 'first'],
    ['a page of 101', { last: 101 }, 'last'],
    ['before with first', { first: 1, before: 'x' }, 'before'],
    ['a cursor that is none', { first: 1, after: 'nonsense' }, 'after'],
    ['a cursor of another order', { first: 1, after: cursorOf('conversations:NUMBER:DESC', 5, uuid()) }, 'after'],
    ['a made-up value', { first: 1, after: cursorOf('conversations:LAST_MESSAGE_AT:DESC', 'x', uuid()) }, 'after'],
    ['a made-up id', { last: 1, before: cursorOf('conversations:LAST_MESSAGE_AT:DESC', null, "'") }, 'before'],
    ['six levels', { first: 1, filter: deep(6) }, 'filter.and.0.and.0.and.0.and.0.and.0'],
    ['51 conditions', { first: 1, filter: { or: Array.from({ length: 51 }, () => ({ beaconOn: true })) } }, 'filter'],
    ['a number among ids of operators', { first: 1, filter: { lastRepliedByIds: ['1'] } }, 'filter.lastRepliedByIds'],
    [
      'an id of another type',
      { first: 1, filter: { or: [{ businessNumberIds: [globalId('Operator', uuid())] }] } },
      'filter.or.0.businessNumberIds',
    ],
    ['an empty text', { first: 1, filter: { participant: { value: ' ' } } }, 'filter.participant.value'],
    [
      'a range and a relative day',
      { first: 1, filter: { createdAt: { gte: '2026-01-01T00:00:00Z', relative: 'TODAY' } } },
      'filter.createdAt',
    ],
    ['a search of 10,000 characters', { first: 1, search: { query: 'x'.repeat(10_000) } }, 'search.query'],
    ['no column to search', { first: 1, search: { query: 'x', columns: [] } }, 'search.columns'],
  ])('%s', async (_fact, variables, argument) => {
    expect(await refusalOf(variables)).toMatchObject({ code: 'BAD_USER_INPUT', argument });
  });

  it.each<[fact: string, variables: Record<string, unknown>, said: RegExp]>([
    ['an unknown zone', { first: 1, timeZone: 'Europe/Nowhere' }, /\$timeZone.*time zone/],
    [
      'an unknown zone in a filter',
      { first: 1, filter: { createdAt: { timeZone: 'x/y' } } },
      /filter\.createdAt\.timeZone/,
    ],
    ['an unknown column', { first: 1, search: { query: 'x', columns: ['NAME'] } }, /search\.columns/],
    ['a number too large', { first: 1, filter: { number: { eq: 3_000_000_000 } } }, /filter\.number\.eq/],
  ])('%s', async (_fact, variables, said) => {
    const refused = await refusalOf(variables);

    expect(refused.code).toBe('BAD_USER_INPUT');
    expect(refused.message).toMatch(said);
  });

  it('counts an empty group as a condition, and characters as people do', async () => {
    const groups = (count: number) => ({ or: Array.from({ length: count }, () => ({ and: [] })) });
    const value = '😀'.repeat(200);

    expect(await refusalOf({ first: 1, filter: groups(51) })).toMatchObject({ argument: 'filter' });
    expect(await numbersOf({ filter: groups(50) })).toEqual([1, 7, 12, 120]);
    expect(await numbersOf({ search: { query: value } })).toEqual([]);
    expect(await numbersOf({ filter: { participant: { value } } })).toEqual([]);
    expect(await refusalOf({ first: 1, search: { query: `${value}x` } })).toMatchObject({ argument: 'search.query' });
  });

  it('takes five levels and 50 conditions', async () => {
    const filter = { ...deep(5), or: Array.from({ length: 49 }, () => ({ hasUnread: false })) };

    expect(await numbersOf({ filter })).toEqual([]);
  });
});

describe('a token', () => {
  const limited = async (scopes: string[], businessNumberIds: string[] = []) => {
    const secret = `cdesk_live_${uuid()}`;
    await server.sql(
      `INSERT INTO api_token (id, name, hash, hint, scopes, business_number_ids, created_by_id)
       SELECT $1, 'limited', $2, 'hint', $3::"TokenScope"[], $4, id FROM operator ORDER BY number LIMIT 1`,
      [uuid(), hashApiToken(secret), scopes, businessNumberIds],
    );
    return server.withToken(secret);
  };

  it.each<[filter: Record<string, unknown>, argument: string]>([
    [{ participant: { value: 'jana' } }, 'filter.participant'],
    [{ or: [{ not: { lastMessage: { value: 'faktura' } } }] }, 'filter.or.0.not.lastMessage'],
    [{ hasRequests: true }, 'filter.hasRequests'],
    [{ requestCode: { value: 'R-1' } }, 'filter.requestCode'],
  ])('may not filter by %j without the scope for its value', async (filter, argument) => {
    const refused = await refusalOf({ first: 1, filter }, limited(['READ_CONVERSATIONS']));

    expect(refused).toMatchObject({ code: 'FORBIDDEN', argument });
  });

  it('may not search a column that it may not see, and "all columns" are those that it may', async () => {
    const token = limited(['READ_CONVERSATIONS']);

    for (const column of ['PARTICIPANT', 'LAST_MESSAGE', 'MESSAGES', 'REQUEST_CODE']) {
      const refused = await refusalOf({ first: 1, search: { query: 'jana', columns: [column] } }, token);
      expect(refused).toMatchObject({ code: 'FORBIDDEN', argument: 'search.columns' });
    }
    expect(await numbersOf({ search: { query: 'jana' } }, token)).toEqual([]);
    expect(await numbersOf({ filter: { anyColumn: { value: 'faktura' } } }, token)).toEqual([]);
    expect(await numbersOf({ search: { query: '120' } }, token)).toEqual([120]);
  });

  it('sees only the business numbers that it is limited to', async () => {
    const token = limited(['READ_CONVERSATIONS'], numbers.slice(1));

    expect(await numbersOf({}, token)).toEqual([120]);
    expect(await numbersOf({ filter: { not: { number: { eq: 120 } } } }, token)).toEqual([]);
  });
});

function cursorOf(...parts: unknown[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

it('does not hold up the process when the list comes to be compiled', async () => {
  const client = await server.as('alena');
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();

  for (let run = 1; run <= 5; run++) await client.request(LIST.replace('List', 'OftenAsked'), { first: 1, filter: {} });

  delay.disable();
  expect(delay.max / 1e6).toBeLessThan(1_500);
});
