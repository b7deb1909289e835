import { gql, type GraphQLClient } from 'graphql-request';
import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../src/db/database.ts';
import { findConversationPage } from '../src/db/statements/conversation-page.ts';
import { chooseSearch } from '../src/db/statements/conversation-search.ts';
import type { Source } from '../src/db/statements/conversation-sources.ts';
import { globalId } from '../src/schema/global-id.ts';
import { listCondition } from '../src/services/list/list-query.ts';
import { searchColumns } from '../src/services/list/search.ts';
import { randomOf, storeConversations, type StoredConversation } from './support/stored-conversations.ts';
import { matchesFilter, matchesSearch, sortRows, type Filter, type Order, type World } from './support/list-model.ts';
import { startTestServer, type TestServer } from './support/server.ts';

const CONVERSATIONS = Number(process.env.MODEL_CONVERSATIONS ?? 300);
const LISTS = Number(process.env.MODEL_LISTS ?? 60);

const PAGE = gql`
  query Page(
    $first: Int
    $after: String
    $last: Int
    $before: String
    $filter: ConversationFilterInput
    $search: ConversationSearchInput
    $orderBy: ConversationOrderInput
  ) {
    conversations(
      first: $first
      after: $after
      last: $last
      before: $before
      filter: $filter
      search: $search
      orderBy: $orderBy
    ) {
      totalCount
      pageInfo {
        hasNextPage
        hasPreviousPage
        startCursor
        endCursor
      }
      nodes {
        number
      }
    }
  }
`;

type Page = {
  conversations: {
    totalCount: number;
    pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
    nodes: { number: number }[];
  };
};

const names = [
  'Jan Novák',
  'Žofie Šťastná',
  'Müller-Lüdenscheidt',
  'Straße 50%',
  'Иван Йосиф',
  'Łucja',
  'x_y',
  'a\\b',
  '',
];
const texts = [
  'Dobrý den',
  'kde je moje zásilka?',
  'Здравствуйте, как дела',
  'sleva 50% platí',
  'under_score a \\ lomítko',
  'Grüße aus München',
  'ok',
  '👩‍👩‍👧‍👦 díky',
];
const words = [
  'novak',
  'NOVÁK',
  'šťa',
  'lu',
  'n',
  'j',
  '50%',
  '%',
  '_',
  'x_y',
  '\\',
  'den',
  'йосиф',
  'иос',
  'strasse',
  'ß',
];
const phoneWords = [
  '+420',
  '00420',
  '777',
  '777 12',
  '+420 777 123',
  '420777',
  '(777)123',
  '12',
  '1',
  '7-7',
  'R-10',
  'r-1',
];

let server: TestServer;
let alena: GraphQLClient;
let world: World;
const random = randomOf(Number(process.env.MODEL_SEED ?? 20));

beforeAll(async () => {
  server = await startTestServer();
  alena = await server.as('alena');
  const operators = await server.sql<{ id: string; displayName: string }>(
    'SELECT id, display_name AS "displayName" FROM operator ORDER BY number',
  );
  const numbers = await server.sql<{ id: string; phoneNumber: string; displayName: string }>(
    'SELECT id, phone_number AS "phoneNumber", display_name AS "displayName" FROM business_number ORDER BY slot',
  );
  world = {
    now: new Date(),
    warningMinutes: 60,
    me: operators[0]?.id ?? '',
    operators: operators.map((row) => ({ ...row, globalId: globalId('Operator', row.id) })),
    numbers: numbers.map((row) => ({ ...row, globalId: globalId('BusinessNumber', row.id) })),
    rows: [],
  };
  world.rows = Array.from({ length: CONVERSATIONS }, (_, index) => randomConversation(index));
  await storeConversations(server, world.rows);
});

afterAll(() => server[Symbol.asyncDispose]());

describe('the conversation list against an evaluation in memory', () => {
  it(`agrees in ${LISTS} random lists, read forwards and backwards to their ends`, { timeout: 120_000 }, async () => {
    for (let round = 0; round < LISTS; round++) {
      const filter = chance(0.7) ? randomFilter(0) : undefined;
      const search = chance(0.5) ? randomSearch() : undefined;
      const orderBy = chance(0.8) ? randomOrder() : undefined;
      const list = { filter, search, orderBy };
      const expected = expectedNumbers(list);

      const forwards = await readAll(list, 'forwards', pageSize(expected.length));
      const backwards = await readAll(list, 'backwards', pageSize(expected.length));

      expect({ list, read: forwards.join() }).toEqual({ list, read: expected.join() });
      expect({ list, read: backwards.join() }).toEqual({ list, read: expected.join() });
    }
  });
});

describe('a search', () => {
  it('finds the same whatever PostgreSQL guesses, and so whichever way is taken', { timeout: 120_000 }, async () => {
    await using db = openDatabase({ url: server.databaseUrl, poolSize: 2 });
    const everyone = { operatorId: world.me, businessNumberIds: null, hasScope: () => true };
    const directory = { businessNumbers: world.numbers, operators: world.operators };
    const facts = { now: world.now, timeZone: 'Europe/Prague', windowWarningMinutes: world.warningMinutes, directory };
    const ways = new Set<string>();
    for (let round = 0; round < LISTS; round++) {
      const { query, columns } = randomSearch();
      const beaconOn = chance(0.3) ? chance(0.5) : undefined;
      const orderBy = randomOrder();
      const searched = { query, columns: searchColumns.filter((column) => columns?.includes(column) ?? true) };
      const condition = listCondition({ filters: [{ beaconOn }], searches: [searched] }, everyone, facts);
      const expected = expectedNumbers({ filter: { beaconOn }, search: { query, columns }, orderBy });

      const most = pick([10, 5_000, 1_000_000]);
      const chosen = chooseSearch(condition, (source) => (isEverything(source) ? 10_000 : int(most)));
      if (chosen.by === 'collecting') chosen.lookFirst = pick([0, 1, 50, 1_000]);
      const page = { size: 1 + int(20), forward: true, position: null };
      const rows = await findConversationPage(db.pool, page, orderBy, condition, undefined, chosen);

      ways.add(chosen.by === 'looking' ? 'looking' : chosen.lookFirst > 0 ? 'both' : 'collecting');
      const read = rows.map((row) => row.number).join();
      expect({ query, columns, orderBy, read }).toMatchObject({ read: expected.slice(0, page.size + 1).join() });
    }
    expect([...ways].toSorted()).toEqual(['both', 'collecting', 'looking']);
  });
});

function isEverything(source: Source): boolean {
  return source.of === 'conversation' && source.conditions.every((each) => each.is === 'all' && each.of.length === 0);
}

type List = { filter?: Filter; search?: { query: string; columns?: string[] }; orderBy?: Order };

const everyColumn = [
  'NUMBER',
  'BUSINESS_NUMBER',
  'OPERATOR',
  'PARTICIPANT',
  'LAST_MESSAGE',
  'REQUEST_CODE',
  'MESSAGES',
];

function expectedNumbers({ filter, search, orderBy }: List): number[] {
  const found = world.rows.filter(
    (row) =>
      !row.isMerged &&
      matchesFilter(filter ?? {}, row, world) &&
      (!search || matchesSearch(search.query, search.columns ?? everyColumn, row, world)),
  );
  return sortRows(found, orderBy ?? { field: 'LAST_MESSAGE_AT', direction: 'DESC' }).map((row) => row.number);
}

async function readAll(list: List, way: 'forwards' | 'backwards', size: number): Promise<number[]> {
  const pages: number[][] = [];
  let total = 0;
  for (let cursor: string | null = null, hasMore = true; hasMore;) {
    const page: Record<string, unknown> =
      way === 'forwards' ? { first: size, after: cursor } : { last: size, before: cursor };
    const { conversations }: Page = await alena.request<Page>(PAGE, { ...list, ...page });
    pages.push(conversations.nodes.map((node) => node.number));
    const { hasNextPage, hasPreviousPage, startCursor, endCursor } = conversations.pageInfo;
    [hasMore, cursor] = way === 'forwards' ? [hasNextPage, endCursor] : [hasPreviousPage, startCursor];
    total = conversations.totalCount;
  }
  const all = way === 'forwards' ? pages.flat() : pages.toReversed().flat();
  expect(total).toBe(all.length);
  return all;
}

function randomConversation(index: number): StoredConversation {
  const minute = 60_000;
  // Few distinct instants, so that ties are common.
  const ago = (max: number) => new Date(Math.floor(world.now.getTime() / 1000) * 1000 - int(max) * 20 * minute);
  const messages = Array.from({ length: int(4) }, () => pick(texts));
  return {
    id: uuid(),
    number: chance(0.9) ? 1_000 + index : 5 + index * 13_000,
    businessNumberId: pick(world.numbers).id,
    lastRepliedById: chance(0.5) ? pick(world.operators).id : null,
    name: pick(names),
    phoneNumber: chance(0.8) ? `+${pick(['420777123', '421901000', '49301234'])}${String(100 + index)}` : null,
    messages,
    lastMessageAt: ago(40),
    createdAt: ago(60),
    lastMessageStatus:
      messages.length > 0 && chance(0.5) ? pick(['PENDING', 'SENT', 'DELIVERED', 'READ', 'FAILED']) : null,
    beaconSince: chance(0.4) ? ago(10) : null,
    noReplyNeeded: chance(0.2),
    unreadCount: chance(0.5) ? int(4) : 0,
    windowExpiresAt: chance(0.8) ? new Date(ago(10).getTime() + 100 * minute + int(3)) : null,
    requestCodes: Array.from({ length: chance(0.3) ? 1 + int(2) : 0 }, () => `R-${int(30)}`),
    isMerged: chance(0.05),
  };
}

function randomFilter(depth: number): Filter {
  const leaf = pick(leaves)();
  if (depth >= 3 || chance(0.5)) return chance(0.5) ? leaf : { ...leaf, ...pick(leaves)() };
  const children = Array.from({ length: int(4) }, () => randomFilter(depth + 1));
  return pick<Filter>([
    { and: children },
    { or: children },
    { not: randomFilter(depth + 1) },
    { ...leaf, or: children },
  ]);
}

const leaves: (() => Filter)[] = [
  () => ({ anyColumn: randomText() }),
  () => ({
    number: pick([{ eq: 1_010 }, { gte: 1_100, lte: 1_200 }, { in: [1_001, 1_002, 7] }, { lte: 2_147_483_647 }]),
  }),
  () => ({ businessNumberIds: [pick(world.numbers).globalId] }),
  () => ({ lastRepliedByIds: world.operators.slice(int(3)).map((row) => row.globalId) }),
  () => ({ lastRepliedByMe: chance(0.5) }),
  () => ({ neverReplied: chance(0.5) }),
  () => ({ participant: randomText() }),
  () => ({ lastMessage: randomText() }),
  () => ({ lastMessageStatus: pick([['FAILED'], ['READ', 'SENT'], []]) }),
  () => ({ lastMessageDirection: pick(['INCOMING', 'OUTGOING']) }),
  () => ({ lastMessageAt: randomRange() }),
  () => ({ createdAt: randomRange() }),
  () => ({ beaconOn: chance(0.5) }),
  () => ({ noReplyNeeded: chance(0.5) }),
  () => ({ hasUnread: chance(0.5) }),
  // Not EXPIRING_SOON alone: a window of this data may pass a border between two reads.
  () => ({ windowState: pick([['NEVER_OPENED'], ['NEVER_OPENED', 'OPEN', 'EXPIRING_SOON', 'CLOSED'], []]) }),
  () => ({ hasRequests: chance(0.5) }),
  () => ({ requestCode: randomText() }),
];

function randomText() {
  const match = pick(['CONTAINS', 'NOT_CONTAINS', 'EQUALS', 'NOT_EQUALS', 'STARTS_WITH']);
  return {
    match,
    value: pick([...words, ...names.filter(Boolean), ...texts, 'r-1', 'R-10', '+420777', '1010', 'alena']),
  };
}

function randomRange() {
  const at = () => new Date(world.now.getTime() - int(60) * 1_200_000).toISOString();
  return pick([{ gte: at() }, { lt: at() }, { gte: at(), lt: at() }, {}]);
}

function randomSearch() {
  const query = Array.from({ length: int(4) }, () => pick([...words, ...phoneWords, 'alena', 'demo', 'sa'])).join(
    pick([' ', '  ', '\t']),
  );
  const columns = everyColumn.filter(() => chance(0.5));
  return chance(0.4) || columns.length === 0 ? { query } : { query, columns };
}

function randomOrder(): Order {
  const field = pick<Order['field']>([
    'NUMBER',
    'LAST_MESSAGE_AT',
    'CREATED_AT',
    'AWAITING_SINCE',
    'WINDOW_EXPIRES_AT',
  ]);
  return { field, direction: pick<Order['direction']>(['ASC', 'DESC']) };
}

/** Small pages for short lists: a few pages each. */
function pageSize(length: number): number {
  return Math.max(1, Math.min(100, Math.ceil(length / (1 + int(4))) + int(2)));
}

function int(below: number): number {
  return Math.floor(random() * below);
}

function chance(of: number): boolean {
  return random() < of;
}

function pick<T>(from: readonly T[]): T {
  const picked = from[int(from.length)];
  if (picked === undefined) throw new Error('there is nothing to pick from');
  return picked;
}
