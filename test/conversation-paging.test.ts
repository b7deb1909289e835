import { print } from 'graphql';
import type { GraphQLClient } from 'graphql-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ConversationListChangesDocument,
  ConversationListDocument,
  type ConversationListChangesSubscription,
  type ConversationListQuery,
  type ConversationListQueryVariables,
} from '../src/generated/client/graphql.ts';
import { collect, eventually } from './support/events.ts';
import { number1, startTestServer, type TestServer } from './support/server.ts';
import { randomOf, storeConversations, storedConversation } from './support/stored-conversations.ts';

const ROWS = 10_000;
const DAY_MS = 86_400_000;

const random = randomOf(6);

let server: TestServer;
let alena: GraphQLClient;

beforeAll(async () => {
  server = await startTestServer();
  alena = await server.as('alena');
  const [number] = await server.sql<{ id: string }>('SELECT id FROM business_number WHERE slot = 1');
  const yesterday = Date.now() - DAY_MS;
  // Twenty rows of each second, so that pages break among ties.
  const rows = Array.from({ length: ROWS }, (_, index) =>
    storedConversation({
      number: index + 1,
      businessNumberId: number?.id,
      phoneNumber: phoneOf(index),
      messages: ['první'],
      lastMessageAt: new Date(yesterday - Math.floor(index / 20) * 1_000),
    }),
  );
  await storeConversations(server, rows);
  await server.sql(`SELECT setval(pg_get_serial_sequence('conversation', 'number'), $1)`, [ROWS]);
});

afterAll(() => server[Symbol.asyncDispose]());

const phoneOf = (index: number) => `+420601${String(100_000 + index)}`;

type Paged = { numbers: number[]; asOf: string };

async function pageThrough(variables: Omit<ConversationListQueryVariables, 'first'>): Promise<Paged> {
  const numbers: number[] = [];
  let asOf = '';
  let after: string | null = null;
  for (;;) {
    const { conversations }: ConversationListQuery = await alena.request(ConversationListDocument, {
      ...variables,
      first: 100,
      after,
    });
    if (!conversations) throw new Error('the list was refused');
    numbers.push(...conversations.nodes.map((node) => node.number));
    asOf ||= conversations.asOf;
    if (!conversations.pageInfo.hasNextPage) return { numbers, asOf };
    after = conversations.pageInfo.endCursor ?? null;
  }
}

/** Customers write for as long as the work takes; gives the conversations that they wrote to. */
async function whileCustomersWrite<T>(work: () => Promise<T>): Promise<{ result: T; touched: Set<number> }> {
  const touched = new Set<number>();
  const over = new AbortController();
  async function write(): Promise<void> {
    while (!over.signal.aborted) {
      const index = Math.floor(random() * ROWS);
      touched.add(index + 1);
      await server.sandbox.customerWrites({
        phoneNumberId: number1.phoneNumberId,
        from: phoneOf(index),
        name: '',
        text: 'x',
      });
    }
  }
  const writing = Promise.all([write(), write()]);
  const result = await work().finally(() => over.abort());
  await writing;
  return { result, touched };
}

describe(`paging through ${ROWS} conversations while messages arrive`, () => {
  it('in an order that does not change shows each of them once', async () => {
    const { result, touched } = await whileCustomersWrite(() =>
      pageThrough({ orderBy: { field: 'NUMBER', direction: 'ASC' } }),
    );

    expect(touched.size).toBeGreaterThan(20);
    expect(result.numbers).toEqual(Array.from({ length: ROWS }, (_, index) => index + 1));
  });

  it('by the last message shows none twice, misses none that stood still, and tells of those that moved', async () => {
    const { result, touched } = await whileCustomersWrite(() => pageThrough({}));
    const socket = server.socket(await server.tokenOf('alena'));
    const news = collect<ConversationListChangesSubscription>(socket, print(ConversationListChangesDocument), {
      after: result.asOf,
    });
    const shown = new Set(result.numbers);
    const told = () =>
      new Set(news.all.map(({ conversationListChanged }) => conversationListChanged.conversation?.number));

    expect(touched.size).toBeGreaterThan(20);
    expect(shown.size).toBe(result.numbers.length);
    const missed = Array.from({ length: ROWS }, (_, index) => index + 1).filter((number) => !shown.has(number));
    expect(missed.filter((number) => !touched.has(number))).toEqual([]);
    await eventually(async () => touched.isSubsetOf(told()));
    await socket.dispose();
  });
});
