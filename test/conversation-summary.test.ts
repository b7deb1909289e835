import { gql, type GraphQLClient } from 'graphql-request';
import type { Client } from 'graphql-ws';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { collect, eventually } from './support/events.ts';
import { storeConversations, storedConversation } from './support/stored-conversations.ts';
import { number1, startTestServer, type TestServer } from './support/server.ts';

const FIGURES = `handledToday waiting waitingMine oldestWaitingSince unreadConversations day timeZone dayEndsAt asOf`;
const SUMMARY = gql`query Summary($timeZone: TimeZone) { conversationSummary(timeZone: $timeZone) { ${FIGURES} } }`;
const LIVE = `subscription ($timeZone: TimeZone) { conversationSummary(timeZone: $timeZone) { ${FIGURES} } }`;

const LIST = gql`
  query List($filter: ConversationFilterInput) {
    conversations(first: 100, filter: $filter) {
      totalCount
      asOf
      nodes {
        id
        lastIncomingMessage {
          id
        }
      }
    }
  }
`;

type Summary = {
  handledToday: number;
  waiting: number;
  waitingMine: number;
  oldestWaitingSince: string | null;
  unreadConversations: number;
  day: string;
  timeZone: string;
  dayEndsAt: string;
  asOf: string;
};
type Listed = {
  conversations: { totalCount: number; asOf: string; nodes: { id: string; lastIncomingMessage: { id: string } }[] };
};

let server: TestServer;
let alena: GraphQLClient;
let sockets: Client[];

beforeEach(async () => {
  sockets = [];
});

afterEach(async () => {
  for (const socket of sockets) await socket.dispose();
  await server[Symbol.asyncDispose]();
  vi.useRealTimers();
});

/** The clock of the server stands still at this instant until it is moved; the database keeps its own. */
async function startAt(at: Date | null): Promise<void> {
  if (at) vi.useFakeTimers({ toFake: ['Date'], now: at });
  server = await startTestServer();
  alena = await server.as('alena');
}

async function summary(client = alena, timeZone?: string): Promise<Summary> {
  return (await client.request<{ conversationSummary: Summary }>(SUMMARY, { timeZone })).conversationSummary;
}

async function customerWrites(from: string, text = 'Dobrý den'): Promise<Listed['conversations']['nodes'][number]> {
  await server.sandbox.customerWrites({ phoneNumberId: number1.phoneNumberId, from, name: from, text });
  const filter = { participant: { match: 'CONTAINS', value: from } };
  const { conversations } = await alena.request<Listed>(LIST, { filter });
  const [node] = conversations.nodes;
  if (!node) throw new Error('the conversation did not come');
  return node;
}

async function reply(conversationId: string, key: string, client = alena): Promise<void> {
  await client.request(
    gql`
      mutation Reply($input: ReplyToConversationInput!) {
        replyToConversation(input: $input) {
          errors {
            message
          }
        }
      }
    `,
    { input: { conversationId, text: 'Odpověď', idempotencyKey: key } },
  );
}

async function waive(conversationId: string, messageId: string, value: boolean): Promise<void> {
  const input = { conversationId, messageId, value };
  await alena.request(
    'mutation ($input: SetNoReplyNeededInput!) { setNoReplyNeeded(input: $input) { errors { message } } }',
    {
      input,
    },
  );
}

async function follow(login: 'alena' | 'boris' = 'alena', timeZone?: string) {
  const socket = server.socket(await server.tokenOf(login));
  sockets.push(socket);
  return collect<{ conversationSummary: Summary }>(socket, LIVE, { timeZone });
}

describe('the figures', () => {
  it('count distinct conversations that the viewer answered or closed today, and agree with the list', async () => {
    await startAt(null);
    const [first, second, third] = [
      await customerWrites('+420601000001'),
      await customerWrites('+420601000002'),
      await customerWrites('+420601000003'),
    ];
    await reply(first.id, 'one');
    await reply(first.id, 'two');
    await waive(second.id, second.lastIncomingMessage.id, true);

    const mine = await summary();
    const theirs = await summary(await server.as('boris'));
    const waiting = await alena.request<Listed>(LIST, { filter: { beaconOn: true } });
    const unread = await alena.request<Listed>(LIST, { filter: { hasUnread: true } });

    expect(mine).toMatchObject({ handledToday: 2, waiting: 1, waitingMine: 0, timeZone: 'Europe/Prague' });
    expect(theirs).toMatchObject({ handledToday: 0, waiting: 1 });
    expect(waiting.conversations.totalCount).toBe(mine.waiting);
    expect(waiting.conversations.nodes[0]?.id).toBe(third.id);
    expect(unread.conversations.totalCount).toBe(mine.unreadConversations);

    await waive(second.id, second.lastIncomingMessage.id, false);
    await customerWrites('+420601000001', 'A ještě něco');
    expect(await summary()).toMatchObject({ handledToday: 1, waiting: 3, waitingMine: 1 });
  });

  it('leave out what was never accepted, what an automation sent and what was merged away', async () => {
    await startAt(null);
    const [failed, automated, accepted] = [
      await customerWrites('+420601000001'),
      await customerWrites('+420601000002'),
      await customerWrites('+420601000003'),
    ];
    for (const [index, { id }] of [failed, automated, accepted].entries()) await reply(id, `key-${index}`);
    await eventually(
      async () =>
        (await server.sql(`SELECT FROM message WHERE direction = 'OUTGOING' AND status = 'READ'`)).length === 3,
    );
    const change = (set: string, { id }: { id: string }) =>
      server.sql(
        `UPDATE message SET ${set} WHERE direction = 'OUTGOING' AND conversation_id =
           (SELECT id FROM conversation WHERE id = $1)`,
        [Buffer.from(id, 'base64').toString().split(':')[1]],
      );
    await change(`status = 'FAILED', accepted_at = NULL`, failed);
    await change(`origin = 'AUTOMATION'`, automated);
    await change(`status = 'FAILED', accepted_at = now()`, accepted);
    const [number] = await server.sql<{ id: string }>('SELECT id FROM business_number WHERE slot = 1');
    const merged = { businessNumberId: number?.id ?? '', isMerged: true, beaconSince: new Date(0), unreadCount: 3 };
    await storeConversations(server, [storedConversation({ number: 99, ...merged })]);

    expect(await summary()).toMatchObject({
      handledToday: 1,
      waiting: 0,
      oldestWaitingSince: null,
      unreadConversations: 0,
    });
  });

  it('of a dashboard token need READ_COUNTERS and are cut to its business numbers', async () => {
    await startAt(null);
    await customerWrites('+420601000001');

    expect(await summary(server.withToken(server.dashboardToken))).toMatchObject({ waiting: 1, handledToday: 0 });
    await server.sql(`UPDATE api_token SET business_number_ids = ARRAY(SELECT id FROM business_number WHERE slot = 2)`);
    expect(await summary(server.withToken(server.dashboardToken))).toMatchObject({
      waiting: 0,
      unreadConversations: 0,
    });
    await server.sql(`UPDATE api_token SET scopes = array_remove(scopes, 'READ_COUNTERS')`);
    await expect(summary(server.withToken(server.dashboardToken))).rejects.toThrow(/FORBIDDEN/);
  });
});

describe('the day', () => {
  it.each([
    ['on which clocks go forward', '2026-03-29', '2026-03-29T22:00:00.000Z'],
    ['on which clocks go back', '2026-10-25', '2026-10-25T23:00:00.000Z'],
  ])('%s ends at local midnight by a pushed payload, without anything else happening', async (_fact, day, ends) => {
    await startAt(new Date(Date.parse(ends) - 200));
    const { id } = await customerWrites('+420601000001');
    await reply(id, 'before midnight');
    const live = await follow();
    const elsewhere = await follow('alena', 'America/New_York');
    const [before] = await live.take(1, 20_000);
    await elsewhere.take(1, 20_000);
    expect(before?.conversationSummary).toMatchObject({ handledToday: 1, day, dayEndsAt: ends });

    vi.setSystemTime(Date.parse(ends) + 1_000);

    await eventually(async () => live.all.some((payload) => payload.conversationSummary.day > day), 20_000);
    const after = live.all.at(-1)?.conversationSummary;
    expect(after).toMatchObject({ handledToday: 0 });
    expect(Date.parse(after?.dayEndsAt ?? '') - Date.parse(ends)).toBe(24 * 3_600_000);
    expect(elsewhere.all.at(-1)?.conversationSummary).toMatchObject({ handledToday: 1, timeZone: 'America/New_York' });
    await reply(id, 'after midnight');
    expect(await summary()).toMatchObject({ handledToday: 1 });
  });
});

describe('the subscription', () => {
  it('begins with the present figures, pushes at most once a second, and ends with the newest ones', async () => {
    await startAt(null);
    const live = await follow('boris');
    const [first] = await live.take(1, 20_000);
    expect(first?.conversationSummary).toMatchObject({ waiting: 0 });

    const begun = Date.now();
    for (let index = 0; index < 30; index++) await customerWrites(`+4206010000${String(10 + index)}`);
    await eventually(async () => live.all.at(-1)?.conversationSummary.waiting === 30, 20_000);

    const seconds = Math.ceil((Date.now() - begun) / 1_000);
    expect(live.all.length).toBeLessThanOrEqual(seconds + 2);
    expect(live.all.at(-1)?.conversationSummary).toMatchObject({ unreadConversations: 30 });
  });

  it('tells a position that can be gone on from, though no figure has changed since', async () => {
    await startAt(null);
    const live = await follow('boris');
    const [first] = await live.take(1);

    await server.sql("UPDATE stream_head SET epoch = '0123abcd', floor_seq = seq");

    const [, second] = await live.take(2);
    expect({ ...second?.conversationSummary, asOf: '' }).toEqual({ ...first?.conversationSummary, asOf: '' });
    expect(Buffer.from(second?.conversationSummary.asOf ?? '', 'base64url').toString()).toContain('0123abcd');
  });

  it('refuses a token without READ_COUNTERS', async () => {
    await startAt(null);
    await server.sql(`UPDATE api_token SET scopes = '{READ_EVENTS,READ_CONVERSATIONS}'`);
    const socket = server.socket(server.dashboardToken);
    sockets.push(socket);

    const live = collect(socket, LIVE);
    await live.ended;

    expect(JSON.stringify(live.errors)).toContain('FORBIDDEN');
  });
});
