import fc from 'fast-check';
import { gql } from 'graphql-request';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from './support/events.ts';
import { bodyWith, historyOf, shapes, type History } from './support/histories.ts';
import { startServerProcess, type ServerProcess } from './support/process.ts';
import { number1, postSigned, startTestServer, type TestServer } from './support/server.ts';

/** How many histories; `npm run test:histories` tells more of them. */
const RUNS = Number(process.env.HISTORIES ?? 12);

let server: TestServer;
let other: ServerProcess;
let pool: pg.Pool;

beforeAll(async () => {
  server = await startTestServer({ settings: { LOG_LEVEL: 'error' } });
  server.sandbox.setDelays({ sentMs: 50, deliveredMs: 100, readMs: null });
  other = await startServerProcess({ DATABASE_URL: server.databaseUrl });
  pool = new pg.Pool({ connectionString: server.databaseUrl, max: 2 });
});

afterAll(async () => {
  await pool.end();
  await other[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

let customers = 0;
const begin = new Date(Math.floor((Date.now() - 3 * 3_600_000) / 1000) * 1000);

function nextCustomer(): string {
  customers += 1;
  return String(420_620_000_000 + customers);
}

async function post(toOther: boolean, elements: History['elements']): Promise<void> {
  const url = toOther ? other.url : server.url;
  const answer = await postSigned(url, JSON.stringify(bodyWith(number1.phoneNumberId, elements)));
  expect(answer.status).toBe(200);
}

const cuts = fc.array(fc.record({ size: fc.integer({ min: 1, max: 8 }), toOther: fc.boolean() }), {
  minLength: 40,
  maxLength: 40,
});
type Cuts = { size: number; toOther: boolean }[];

function cut(elements: History['elements'], sizes: Cuts): { part: History['elements']; toOther: boolean }[] {
  const parts: { part: History['elements']; toOther: boolean }[] = [];
  let rest = elements;
  for (const { size, toOther } of sizes) {
    if (rest.length === 0) return parts;
    parts.push({ part: rest.slice(0, size), toOther });
    rest = rest.slice(size);
  }
  return rest.length > 0 ? [...parts, { part: rest, toOther: false }] : parts;
}

/** An order of anything, as numbers to sort by. */
const orders = fc.array(fc.nat(), { minLength: 60, maxLength: 60 });

function arrange<T>(things: T[], order: number[]): T[] {
  return things
    .map((thing, index) => ({ thing, key: order[index % order.length] ?? 0 }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ thing }) => thing);
}

type Stored = {
  conversation: Record<string, unknown> & { id: string };
  messages: Record<string, unknown>[];
};

/** The row and its messages in one snapshot: they must agree at every moment, not only at the end. */
async function stored(customer: string): Promise<Stored | null> {
  const { rows } = await pool.query<Stored>(
    `SELECT to_jsonb(c) AS conversation, coalesce((SELECT jsonb_agg(to_jsonb(m) ORDER BY m.sequence) FROM message m
       WHERE m.conversation_id = c.id), '[]') AS messages
     FROM conversation c JOIN participant p ON p.id = c.participant_id WHERE p.wa_id = $1`,
    [customer],
  );
  return rows[0] ?? null;
}

/** The rules of the specification, written down again and applied to all messages at once. */
function recompute(messages: Record<string, unknown>[], horizon: unknown) {
  const incoming = messages.filter((m) => m.direction === 'INCOMING');
  const live = messages.filter((m) =>
    m.direction === 'INCOMING' ? !m.withdrawn_at : m.status !== 'FAILED' && !m.discarded_at && !m.withdrawn_at,
  );
  const lastReply = Math.max(0, ...live.filter((m) => m.direction === 'OUTGOING').map((m) => Number(m.sequence)));
  const asking = live.filter((m) => m.direction === 'INCOMING' && Number(m.sequence) > lastReply);
  const on = asking.length > 0 && !asking.at(-1)?.waived_at;
  const open = asking.slice(asking.findLastIndex((m) => m.waived_at) + 1);
  const times = messages.map((m) => Date.parse(String(m.sent_at)));
  const newestIncoming = Math.max(...incoming.map((m) => Date.parse(String(m.sent_at))));
  const last = messages.reduce((a, b) =>
    Math.floor(Date.parse(String(b.sent_at)) / 1000) >= Math.floor(Date.parse(String(a.sent_at)) / 1000) ? b : a,
  );
  return {
    beacon_on: on,
    beacon_since: on ? Date.parse(String(open[0]?.sent_at)) : null,
    unread_count: incoming.filter((m) => Number(m.sequence) > Number(horizon)).length,
    created_at: Math.min(...times),
    window_expires_at: incoming.length > 0 ? newestIncoming + 24 * 3_600_000 : null,
    last_message_id: last.id,
    last_message_preview: last.preview,
    last_message_status: last.status,
    last_sequence: messages.length,
    sequences: messages.map((_, index) => index + 1),
  };
}

function shown({ conversation: row, messages }: Stored) {
  const time = (value: unknown) => (typeof value === 'string' ? Date.parse(value) : null);
  return {
    beacon_on: row.beacon_on,
    beacon_since: time(row.beacon_since),
    unread_count: row.unread_count,
    created_at: time(row.created_at),
    window_expires_at: time(row.window_expires_at),
    last_message_id: row.last_message_id,
    last_message_preview: row.last_message_preview,
    last_message_status: row.last_message_status,
    last_sequence: row.last_sequence,
    sequences: messages.map((message) => message.sequence),
  };
}

/** What is stored beside what it should be; equal where there is nothing yet. */
async function agreement(customer: string): Promise<{ stored: unknown; expected: unknown }> {
  const found = await stored(customer);
  if (!found || found.messages.length === 0) return { stored: null, expected: null };
  return { stored: shown(found), expected: recompute(found.messages, found.conversation.read_up_to_sequence) };
}

const REPLY = gql`
  mutation Reply($id: ID!, $key: String!) {
    replyToConversation(input: { conversationId: $id, text: "Odpověď", idempotencyKey: $key }) {
      errors {
        code
      }
    }
  }
`;
const WAIVE = gql`
  mutation Waive($id: ID!, $messageId: ID!, $value: Boolean!) {
    setNoReplyNeeded(input: { conversationId: $id, messageId: $messageId, value: $value }) {
      errors {
        code
      }
    }
  }
`;

it(`in every order of arrival the stored state is what the rules make of the messages (${RUNS} histories)`, async () => {
  const alena = await server.as('alena');
  const acts = fc.array(fc.constantFrom('reply', 'waive', 'unwaive', 'nothing', 'again'), {
    minLength: 40,
    maxLength: 40,
  });
  await fc.assert(
    fc.asyncProperty(shapes, orders, cuts, acts, async (shape, order, sizes, whatElse) => {
      const customer = nextCustomer();
      const parts = cut(arrange(historyOf(shape, customer, `p.${customer}`, begin).elements, order), sizes);

      for (const [index, { part, toOther }] of parts.entries()) {
        await post(toOther, part);
        const received = await agreement(customer);
        expect(received.stored).toEqual(received.expected);
        const found = await stored(customer);
        const act = whatElse[index];
        if (!found || act === 'nothing') continue;
        const id = btoa(`Conversation:${found.conversation.id}`);
        const lastIncoming = found.conversation.last_incoming_message_id;
        if (act === 'again') await post(!toOther, part);
        if (act === 'reply') await alena.request(REPLY, { id, key: `${customer}.${index}` });
        if ((act === 'waive' || act === 'unwaive') && typeof lastIncoming === 'string') {
          await alena.request(WAIVE, { id, messageId: btoa(`Message:${lastIncoming}`), value: act === 'waive' });
        }
        const changed = await agreement(customer);
        expect(changed.stored).toEqual(changed.expected);
      }
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
}, 600_000);

/** Everything that may not depend on the order in which things came. */
async function outcome(customer: string, prefix: string) {
  const found = await stored(customer);
  const ids = (found?.messages ?? []).map((message) => message.id);
  const { rows: statuses } = await pool.query(
    `SELECT m.provider_id, s.status, s.at FROM status_entry s JOIN message m ON m.id = s.message_id WHERE m.id = ANY($1::uuid[])`,
    [ids],
  );
  const { rows: reactions } = await pool.query(
    `SELECT m.provider_id, r.emoji, r.at FROM reaction r JOIN message m ON m.id = r.message_id WHERE m.id = ANY($1::uuid[])`,
    [ids],
  );
  const bare = (rows: unknown[]) => rows.map((row) => JSON.stringify(row).replaceAll(prefix, '')).toSorted();
  return {
    messages: bare(
      (found?.messages ?? []).map(
        ({
          provider_id,
          direction,
          origin,
          kind,
          content,
          preview,
          sent_at,
          status,
          edited_at,
          withdrawn_at,
          failure_title,
        }) => ({
          provider_id,
          direction,
          origin,
          kind,
          content,
          preview,
          sent_at,
          status,
          edited_at,
          withdrawn_at,
          failure_title,
        }),
      ),
    ),
    statuses: bare(statuses),
    reactions: bare(reactions),
    window: found?.conversation.window_expires_at,
    createdAt: found?.conversation.created_at,
  };
}

/** Two processes may have stored a correction and its message at the same moment: a chore brings them together. */
async function nothingWaits(prefix: string): Promise<void> {
  await eventually(async () => {
    const { rows } = await pool.query(
      `SELECT FROM parked_item p JOIN message m ON m.provider_id = p.target_provider_id WHERE p.target_provider_id LIKE $1`,
      [`${prefix}.%`],
    );
    return rows.length === 0;
  }, 30_000);
}

it(`whatever the order, the cut and the repeats, the outcome is the same (${RUNS} histories)`, async () => {
  await fc.assert(
    fc.asyncProperty(shapes, orders, orders, cuts, cuts, async (shape, order, repeats, sizes, otherSizes) => {
      const [plain, mixed] = [nextCustomer(), nextCustomer()];
      await post(false, historyOf(shape, plain, `q.${plain}`, begin).elements);
      const { elements } = historyOf(shape, mixed, `q.${mixed}`, begin);
      const twice = [...elements, ...arrange(elements, repeats).slice(0, 10)];

      await Promise.all(cut(arrange(twice, order), sizes).map(({ part, toOther }) => post(toOther, part)));
      await nothingWaits(`q.${mixed}`);

      const expected = await outcome(plain, `q.${plain}`);
      expect(await outcome(mixed, `q.${mixed}`)).toEqual(expected);
      const together = await agreement(mixed);
      expect(together.stored).toEqual(together.expected);
      const before = await stored(mixed);
      await Promise.all(cut(arrange(elements, repeats), otherSizes).map(({ part, toOther }) => post(toOther, part)));
      expect(await stored(mixed)).toEqual(before);
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
}, 600_000);
