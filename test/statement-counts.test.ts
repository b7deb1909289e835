import { gql, type GraphQLClient } from 'graphql-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { detailQuery } from '../bench/list/detail.ts';
import { ConversationListDocument } from '../src/generated/client/graphql.ts';
import { globalId } from '../src/schema/global-id.ts';
import { fileRequests } from './support/filed-requests.ts';
import { createTestDatabase, type TestDatabase } from './support/database.ts';
import { startTestServer, type TestServer } from './support/server.ts';
import { logStatements, type StatementLog } from './support/statements.ts';
import { storeConversations, storedConversation } from './support/stored-conversations.ts';

const ROWS = [1, 10, 100];

let database: TestDatabase;
let statements: StatementLog;
let server: TestServer;
let alena: GraphQLClient;
const conversations: { id: string; messages: number }[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  statements = await logStatements(database.url);
  server = await startTestServer({ databaseUrl: statements.url, settings: { ROLE: 'api' } });
  alena = await server.as('alena');
  const [number] = await server.sql<{ id: string }>('SELECT id FROM business_number WHERE slot = 1');
  const operators = await server.sql<{ id: string }>('SELECT id FROM operator ORDER BY number');
  const rows = Array.from({ length: 100 }, (_, index) =>
    storedConversation({
      number: index + 1,
      businessNumberId: number?.id,
      name: `Jana ${index}`,
      phoneNumber: `+420601${String(100_000 + index)}`,
      lastRepliedById: operators[index % operators.length]?.id ?? null,
      messages: Array.from({ length: ROWS[index] ?? 2 }, (_, at) => `zpráva ${at}`),
      lastMessageStatus: 'READ',
      beaconSince: new Date(),
    }),
  );
  await storeConversations(server, rows);
  conversations.push(...rows.map(({ id, messages }) => ({ id, messages: messages.length })));
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await statements[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

type Detail = {
  conversation: { messages: { nodes: { requestLinks: object[] }[] }; requests: { nodes: object[] } };
};

/** The same work at 1, 10 and 100 rows; the first time of each is not counted, because connections prepare by then. */
async function countsOf(work: (rows: number) => Promise<unknown>): Promise<string[][]> {
  const counted: string[][] = [];
  for (const rows of ROWS) {
    await work(rows);
    counted.push(await statements.of(() => work(rows)));
  }
  return counted;
}

/** The statement of a list of keys, however many they are. */
function withoutValues(statement: string): string {
  return statement.replaceAll(/\(\$\d+(,\$\d+)*\)/g, '(…)').replaceAll(/\$\d+/g, '$');
}

/** At 10 and 100 rows as many as at 1, and what they are where they differ. */
function surplus([one = [], ...more]: string[][]): string[][] {
  return more.filter((many) => many.length !== one.length);
}

describe('the number of statements is the same at 1, 10 and 100 rows', () => {
  it('of the list: who asks, and the page with what hangs on it', async () => {
    const counted = await countsOf((first) => alena.request(ConversationListDocument, { first }));

    expect(surplus(counted)).toEqual([]);
    expect(counted[0]?.length).toBe(2);
  });

  it('of the list with a search in everything', async () => {
    const search = { query: 'jana zpráva' };

    const counted = await countsOf((first) => alena.request(ConversationListDocument, { first, search }));

    expect(surplus(counted)).toEqual([]);
    expect(counted[0]?.length).toBeLessThanOrEqual(8);
  });

  it('of the list with a page of messages in each row', async () => {
    const query = gql`
      query List($first: Int!) {
        conversations(first: $first) {
          nodes {
            id
            messages(last: 3) {
              totalCount
              nodes {
                id
                preview
              }
            }
          }
        }
      }
    `;

    const counted = await countsOf((first) => alena.request(query, { first }));

    expect(surplus(counted)).toEqual([]);
    expect(counted[0]?.length).toBeLessThanOrEqual(4);
  });

  it('of the whole detail, whatever the number of messages, requests and links', async () => {
    const ids = new Map(conversations.map(({ id, messages }) => [messages, id]));
    for (const rows of ROWS) await fileRequests(server, ids.get(rows) ?? '', rows);
    const detail = (rows: number) =>
      alena.request<Detail>(detailQuery, { id: globalId('Conversation', ids.get(rows) ?? '') });

    const { messages, requests } = (await detail(100)).conversation;
    const counted = await countsOf(detail);

    expect([messages.nodes.length, requests.nodes.length]).toEqual([50, 20]);
    expect(messages.nodes.some(({ requestLinks }) => requestLinks.length > 1)).toBe(true);
    // Whether two parts of the answer ask for people in one statement or in two is a matter of who is first.
    const [one = new Set(), ten, hundred = new Set()] = counted.map((run) => new Set(run.map(withoutValues)));
    expect(ten).toEqual(one);
    // Linked requests that are beyond the page of requests take one more.
    expect(hundred.difference(one).size).toBeLessThanOrEqual(1);
    expect(Math.max(...counted.map(({ length }) => length))).toBeLessThanOrEqual(28);
  });

  it('of the operators', async () => {
    const query = gql`
      query Operators($first: Int!) {
        operators(first: $first) {
          asOf
          nodes {
            number
            displayName
            login
            permissions
            loginState
            lastSeenAt
          }
        }
      }
    `;

    const counted = await countsOf((first) => alena.request(query, { first }));

    expect(surplus(counted)).toEqual([]);
    expect(counted[0]?.length).toBeLessThanOrEqual(3);
  });

  it('of the summary', async () => {
    const counted = await countsOf(() =>
      alena.request('{ conversationSummary { handledToday waiting waitingMine asOf } }'),
    );

    expect(surplus(counted)).toEqual([]);
    expect(counted[0]?.length).toBeLessThanOrEqual(2);
  });

  it('of saved filters with their counts', async () => {
    const operator = await server.sql<{ id: string }>(`SELECT id FROM operator WHERE login = 'alena'`);
    const work = async (rows: number) => {
      await server.sql('DELETE FROM saved_filter');
      await server.sql(
        `INSERT INTO saved_filter (id, owner_id, name, name_key, filter, schema_version)
         SELECT gen_random_uuid(), $1, n::text, n::text, '{"anyColumn": {"match": "CONTAINS", "value": "jana"}}', 2
         FROM generate_series(1, $2::int) n`,
        [operator[0]?.id, rows],
      );
    };
    const counted: string[][] = [];
    for (const rows of [1, 10, 50]) {
      await work(rows);
      await alena.request('{ savedFilters { id } }');
      const run = await statements.of(() =>
        alena.request('{ savedFilters { name problems conversationCount sharedWith { id } owner { login } } }'),
      );
      counted.push(run);
    }

    expect(surplus(counted)).toEqual([]);
    expect(counted[0]?.length).toBeLessThanOrEqual(8);
  });
});

describe('totalCount', () => {
  it('costs a statement only where it is selected', async () => {
    const ask = (fields: string) => statements.of(() => alena.request(`{ conversations(first: 5) { ${fields} } }`));
    await ask('nodes { id } totalCount');

    const without = await ask('nodes { id }');
    const counting = await ask('nodes { id } totalCount');

    expect(without.filter((statement) => statement.includes('count('))).toEqual([]);
    expect(counting).toHaveLength(without.length + 1);
  });
});
