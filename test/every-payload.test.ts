import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Item } from '../src/services/receiving/items.ts';
import { parsePayload } from '../src/webhooks/payload.ts';
import { elementsOf } from './support/elements.ts';
import { fixture, fixtureNames } from './support/fixtures.ts';
import { startTestServer, type TestServer } from './support/server.ts';

/**
 * Every sample is posted to an empty database, and what is found there afterwards is held against the elements of the
 * sample. `npm run test:payloads` prints the table.
 */
const names = fixtureNames('payloads').filter((name) => name.endsWith('.json'));

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ settings: { LOG_LEVEL: 'error', ROLE: 'api' } });
  for (const id of new Set(names.flatMap((name) => numberIdsOf(fixture(`payloads/${name}`))))) {
    await server.sql(
      `INSERT INTO business_number (id, phone_number_id, phone_number) VALUES (gen_random_uuid(), $1, '+10000000')
       ON CONFLICT DO NOTHING`,
      [id],
    );
  }
  // The server looks at its numbers again within half a second.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
});

afterAll(() => server[Symbol.asyncDispose]());

type Row = {
  file: string;
  elements: number;
  messages: number;
  statuses: number;
  reactions: number;
  changes: number;
  account: number;
  customers: number;
  unknown: number;
};

it('every sample is answered 200, and every element of it is found in the database or kept as unknown', async () => {
  const table: Row[] = [];
  for (const file of names) {
    await server.sql(EMPTY);
    const body = fixture(`payloads/${file}`);

    const answer = await server.postWebhook(body);

    expect([file, answer.status]).toEqual([file, 200]);
    table.push(await accountFor(file, body));
  }
  if (process.env.PRINT_TABLE) print(table);
  const wrong = table.filter((row) => row.elements !== sumOf(row));
  expect(wrong).toEqual([]);
}, 240_000);

/** A few rows each time: TRUNCATE takes ten times as long, for all the tables and indexes that hang on these. */
const EMPTY = `BEGIN; SET LOCAL session_replication_role = replica; ${[
  'status_entry',
  'reaction',
  'attachment',
  'message',
  'conversation',
  'former_id',
  'participant',
  'parked_item',
  'account_event',
  'channel_problem',
  'webhook_delivery',
  'event',
]
  .map((table) => `DELETE FROM ${table}`)
  .join('; ')}; COMMIT`;

/** What the database holds, beside how many elements there were. Unknown ones are in the delivery's body and its count. */
async function accountFor(file: string, body: unknown): Promise<Row> {
  const items = parsePayload(body).items;
  const [found] = await server.sql<Omit<Row, 'file' | 'elements' | 'unknown' | 'customers'> & Found>(COUNTS);
  if (!found) throw new Error('counting failed');
  const unknown = items.filter(isUnknown).length;
  const elements = elementsOf(body).length;
  expect([file, found.deliveries, found.items, found.failed]).toEqual([file, 1, elements, 0]);
  const { messages, statuses, reactions, changes, account } = found;
  // A call leaves an open window and an opt-out its time, however often either is told in one delivery.
  const calls = found.windows > 0 ? countOf(items, 'call') : 0;
  const customers = calls + (found.preferences > 0 ? countOf(items, 'preference') : 0);
  return { file, elements, messages, statuses, reactions, changes, account, customers, unknown };
}

type Found = { deliveries: number; items: number; failed: number; preferences: number; windows: number };

const COUNTS = `SELECT
  (SELECT count(*)::int FROM message) AS messages,
  (SELECT count(*)::int FROM status_entry) + (SELECT count(*)::int FROM parked_item WHERE item->>'type' = 'status') AS statuses,
  (SELECT count(*)::int FROM reaction) + (SELECT count(*)::int FROM parked_item WHERE item->>'type' = 'reaction') AS reactions,
  (SELECT count(*)::int FROM parked_item WHERE item->>'type' IN ('edit', 'revoke')) AS changes,
  (SELECT count(*)::int FROM account_event) AS account,
  (SELECT count(*)::int FROM participant WHERE marketing_changed_at IS NOT NULL) AS preferences,
  (SELECT count(*)::int FROM conversation WHERE window_opened_by = 'CUSTOMER_CALL') AS windows,
  (SELECT count(*)::int FROM webhook_delivery) AS deliveries,
  (SELECT coalesce(sum(item_count), 0)::int FROM webhook_delivery) AS items,
  (SELECT count(*)::int FROM webhook_delivery WHERE state IN ('FAILED', 'PARTIALLY_PROCESSED', 'RECEIVED')) AS failed`;

/** Kept, counted and never applied: what nobody can read, words and numbers that nobody knows, calls that open nothing. */
function isUnknown(item: Item): boolean {
  if ('phoneNumberId' in item && item.phoneNumberId === '') return true;
  if (item.type === 'status') return item.status === 'unknown';
  return item.type === 'unknown' || (item.type === 'call' && !item.byCustomer);
}

function countOf(items: Item[], type: Item['type']): number {
  return items.filter((item) => item.type === type && !isUnknown(item)).length;
}

function sumOf({ file: _, elements: __, ...kinds }: Row): number {
  return Object.values(kinds).reduce((sum, count) => sum + count, 0);
}

function numberIdsOf(body: unknown): string[] {
  return (
    JSON.stringify(body)
      .match(/"phone_number_id":"([^"]+)"/g)
      ?.map((match) => match.slice(19, -1)) ?? []
  );
}

function print(table: Row[]): void {
  const kinds = [
    'elements',
    'messages',
    'statuses',
    'reactions',
    'changes',
    'account',
    'customers',
    'unknown',
  ] as const;
  const width = Math.max(...table.map((row) => row.file.length));
  const line = (file: string, cells: (string | number)[]) =>
    `${file.padEnd(width)} ${cells.map((cell) => String(cell || '·').padStart(9)).join('')}`;
  const totals = kinds.map((kind) => table.reduce((sum, row) => sum + row[kind], 0));
  const lines = [
    line('file', [...kinds]),
    ...table.map((row) =>
      line(
        row.file,
        kinds.map((kind) => row[kind]),
      ),
    ),
    line(`${table.length} files, all answered 200`, totals),
    'changes: edits and withdrawals that wait for their message; customers: calls and opt-outs',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
