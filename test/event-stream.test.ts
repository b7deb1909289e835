import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import type { Client } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventTypes } from '../src/db/event-log.ts';
import { createTestDatabase, runSql } from './support/database.ts';
import { appendEvents, cursorAt, headOf, makeToken } from './support/event-log.ts';
import { collect, eventually } from './support/events.ts';
import { batchOf, textMessage } from './support/payloads.ts';
import { number1, number2, startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;
const sockets: Client[] = [];

beforeAll(async () => {
  server = await startTestServer();
});

afterAll(async () => {
  for (const socket of sockets) await socket.dispose();
  await server[Symbol.asyncDispose]();
});

function socketTo(at: TestServer, token: string = at.dashboardToken): Client {
  const socket = at.socket(token);
  sockets.push(socket);
  return socket;
}

type Streamed = { events: { __typename: string; cursor: string; eventId: string } & Record<string, unknown> };
const EVENTS = `subscription Events($types: [ChatEventType!], $after: EventCursor) {
  events(types: $types, after: $after) { __typename cursor eventId
    ... on ConversationChanged { conversation { id } } ... on MessageAdded { message { preview } }
    ... on BeaconChanged { reason conversation { unreadCount participant { phoneNumber } } } } }`;

const kinds = (all: Streamed[]) => all.map(({ events }) => events.__typename);
const sqlOf = (url: string): Pick<TestServer, 'sql'> => ({ sql: (text, values) => runSql(url, text, values) });
const codes = (errors: unknown[]) =>
  JSON.stringify(errors)
    .match(/"code":"(\w+)"/g)
    ?.map((code) => code.slice(8, -1));

const socketWith = (token: string) => socketTo(server, token);

async function customerWrites(text: string, phoneNumberId: string = number1.phoneNumberId, from = '420601000001') {
  const answer = await server.postWebhook(batchOf(phoneNumberId, [textMessage({ text, from })]));
  expect(answer.status).toBe(200);
}

async function conversations(): Promise<{ id: string; row: string; businessNumberId: string }[]> {
  const rows = await server.sql<{ row: string; businessNumberId: string }>(
    'SELECT id AS row, business_number_id AS "businessNumberId" FROM conversation ORDER BY number',
  );
  return rows.map((row) => ({ ...row, id: Buffer.from(`Conversation:${row.row}`).toString('base64') }));
}

describe('events', () => {
  it('delivers every kind with its own type, and only the wanted kinds where some are named', async () => {
    const all = collect<Streamed>(socketWith(server.dashboardToken), EVENTS);
    const some = collect<Streamed>(socketWith(server.dashboardToken), EVENTS, { types: ['REQUEST_CHANGED'] });
    await Promise.all([all.take(1), some.take(1)]);
    const ids = { conversationId: randomUUID(), messageId: randomUUID(), requestId: randomUUID() };
    const facts: Record<string, unknown> = {
      changedFields: ['name'],
      status: 'APPROVED',
      previous: 'PENDING',
      reason: 'CUSTOMER_MESSAGE',
      state: 'OPEN',
      loginState: 'IDLE',
    };

    await appendEvents(server, ...eventTypes.map((type) => ({ type, ...ids, data: facts })));

    expect(kinds(await all.take(12))).toEqual([
      'StreamProgress',
      'ConversationChanged',
      'MessageAdded',
      'MessageUpdated',
      'MessageStatusChanged',
      'BeaconChanged',
      'UnreadChanged',
      'WindowChanged',
      'RequestChanged',
      'RequestLinkChanged',
      'TemplateChanged',
      'OperatorPresenceChanged',
    ]);
    expect(kinds(await some.take(2))).toEqual(['StreamProgress', 'RequestChanged']);
  });

  it('does not name progress like the event that it follows, which whoever drops repeats would then drop', async () => {
    const before = collect<Streamed>(socketWith(server.dashboardToken), EVENTS);
    await before.take(1);
    await appendEvents(server, { type: 'UNREAD_CHANGED', conversationId: randomUUID(), data: { unreadCount: 1 } });
    const [, event] = await before.take(2);

    const [progress] = await collect<Streamed>(socketWith(server.dashboardToken), EVENTS).take(1);

    expect(progress?.events).toMatchObject({ __typename: 'StreamProgress', cursor: event?.events.cursor });
    expect(progress?.events.eventId).not.toBe(event?.events.eventId);
  });

  it('shows fresh data with a second event, not what was loaded for the first', async () => {
    const live = collect<Streamed>(socketWith(await server.tokenOf('boris')), EVENTS, { types: ['BEACON_CHANGED'] });
    await live.take(1);
    await customerWrites('první', number1.phoneNumberId, '420601000077');
    const [, first] = await live.take(2);
    const conversation = (await conversations()).at(-1);
    await server.sql('UPDATE conversation SET unread_count = 7 WHERE id = $1', [conversation?.row]);

    await appendEvents(server, {
      type: 'BEACON_CHANGED',
      conversationId: conversation?.row ?? '',
      data: { on: true, reason: 'CUSTOMER_MESSAGE' },
    });

    const [, , second] = await live.take(3);
    expect(first?.events.conversation).toMatchObject({ unreadCount: 1 });
    expect(second?.events.conversation).toMatchObject({ unreadCount: 7 });
  });

  it('goes on after an event that cannot be shown: its payload carries the error, and the next one comes', async () => {
    const live = collect<Streamed>(socketWith(await server.tokenOf('boris')), EVENTS);
    await live.take(1);

    await appendEvents(server, { type: 'BEACON_CHANGED', conversationId: randomUUID(), data: { reason: 'NONSENSE' } });
    await appendEvents(server, { type: 'UNREAD_CHANGED', conversationId: randomUUID(), data: { unreadCount: 1 } });

    await eventually(async () => kinds(live.all.filter(({ events }) => events)).includes('UnreadChanged'));
    expect(codes(live.errors)).toEqual(['INTERNAL']);
    expect(JSON.stringify(live.errors)).not.toContain('NONSENSE');
  });

  it('gives a token what its scopes allow, the rest as null without an error, and nothing of other numbers', async () => {
    await customerWrites('tajné', number2.phoneNumberId, '420601000088');
    const { businessNumberId } = (await conversations()).at(-1) ?? { businessNumberId: '' };
    const narrow = await makeToken(server, ['READ_EVENTS'], [businessNumberId]);
    const bodiless = await makeToken(server, ['READ_EVENTS', 'READ_CONVERSATIONS']);
    const live = collect<Streamed>(socketWith(narrow.secret), EVENTS);
    const other = collect<Streamed>(socketWith(bodiless.secret), EVENTS);
    await Promise.all([live.take(1), other.take(1)]);

    await customerWrites('pro první číslo', number1.phoneNumberId, '420601000089');
    await customerWrites('tajné', number2.phoneNumberId, '420601000090');

    await eventually(async () => other.all.filter(({ events }) => events.__typename === 'BeaconChanged').length === 2);
    await eventually(async () => live.all.some(({ events }) => events.__typename === 'BeaconChanged'));
    const beacons = live.all.filter(({ events }) => events.__typename === 'BeaconChanged');
    expect(beacons.map(({ events }) => events.conversation)).toEqual([null]);
    expect(
      live.all.filter(({ events }) => events.__typename === 'MessageAdded').map(({ events }) => events.message),
    ).toEqual([null]);
    const seen = other.all
      .filter(({ events }) => events.__typename === 'MessageAdded')
      .map(({ events }) => events.message);
    expect(seen).toEqual([{ preview: null }, { preview: null }]);
    expect(JSON.stringify(other.all)).not.toContain('420601000090');
    expect([live.errors, other.errors]).toEqual([[], []]);
  });

  it('gives a token that follows and reads nothing else every kind without an error', async () => {
    const { secret } = await makeToken(server, ['READ_EVENTS']);
    const live = collect<Streamed>(
      socketWith(secret),
      `subscription { events(types: [BEACON_CHANGED, TEMPLATE_CHANGED, OPERATOR_PRESENCE_CHANGED, MESSAGE_STATUS_CHANGED]) {
        __typename ... on BeaconChanged { byOperator { login } } ... on TemplateChanged { template { name } }
        ... on OperatorPresenceChanged { operator { login } } ... on MessageStatusChanged { failure { code } } } }`,
    );
    await live.take(1);
    const [alena] = await server.sql<{ id: string }>("SELECT id FROM operator WHERE login = 'alena'");
    const templateId = randomUUID();
    await server.sql(
      `INSERT INTO template (id, meta_id, name, language, category, status, parameter_format, components, last_synced_at)
       VALUES ($1, 'told', 'told', 'cs', 'UTILITY', 'APPROVED', 'POSITIONAL', '[]', now())`,
      [templateId],
    );
    const facts = { on: false, reason: 'OPERATOR_REPLIED', status: 'PAUSED', loginState: 'IDLE', previous: 'SENT' };
    const operatorId = alena?.id ?? '';

    await appendEvents(
      server,
      { type: 'BEACON_CHANGED', conversationId: randomUUID(), operatorId, data: facts },
      { type: 'TEMPLATE_CHANGED', templateId, data: facts },
      { type: 'OPERATOR_PRESENCE_CHANGED', operatorId, data: facts },
      { type: 'MESSAGE_STATUS_CHANGED', messageId: randomUUID(), data: { ...facts, status: 'FAILED' } },
    );

    expect((await live.take(5)).slice(1).map(({ events }) => events)).toEqual([
      { __typename: 'BeaconChanged', byOperator: null },
      { __typename: 'TemplateChanged', template: null },
      { __typename: 'OperatorPresenceChanged', operator: null },
      { __typename: 'MessageStatusChanged', failure: null },
    ]);
    expect(live.errors).toEqual([]);
  });

  it.each(['@skip(if: true)', '@include(if: false)'])('refuses to follow nothing: %s', async (directive) => {
    const live = collect(socketWith(server.dashboardToken), `subscription { events ${directive} { cursor } }`);
    await live.ended;

    expect([codes(live.errors), live.all]).toEqual([['BAD_USER_INPUT'], []]);
  });

  it('refuses an empty list of kinds, and whoever may not follow', async () => {
    const empty = collect(socketWith(await server.tokenOf('boris')), EVENTS, { types: [] });
    const { secret } = await makeToken(server, ['READ_COUNTERS']);
    const refused = collect(socketWith(secret), EVENTS);
    await Promise.all([empty.ended, refused.ended]);

    expect([codes(empty.errors), codes(refused.errors)]).toEqual([['BAD_USER_INPUT'], ['FORBIDDEN']]);
  });
});

describe('conversationEvents', () => {
  const ONE = `subscription One($id: ID!) { conversationEvents(conversationId: $id) { __typename cursor } }`;
  type One = { conversationEvents: { __typename: string } };

  it('tells progress at once, then everything of this conversation and nothing else', async () => {
    await customerWrites('a', number1.phoneNumberId, '420601000101');
    const mine = (await conversations()).at(-1);
    const live = collect<One>(socketWith(await server.tokenOf('cyril')), ONE, { id: mine?.id });
    expect((await live.take(1))[0]?.conversationEvents.__typename).toBe('StreamProgress');

    await customerWrites('někdo jiný', number1.phoneNumberId, '420601000102');
    await customerWrites('b', number1.phoneNumberId, '420601000101');

    expect((await live.take(3)).slice(1).map((one) => one.conversationEvents.__typename)).toEqual([
      'MessageAdded',
      'UnreadChanged',
    ]);
  });

  it('ends with FORBIDDEN when the right is lost, and what was appended after that does not leave', async () => {
    const mine = (await conversations()).at(-1);
    const { id, secret } = await makeToken(
      server,
      ['READ_EVENTS', 'READ_CONVERSATIONS'],
      [mine?.businessNumberId ?? ''],
    );
    const live = collect<One>(socketWith(secret), ONE, { id: mine?.id });
    await live.take(1);
    const [other] = (await conversations()).filter((one) => one.businessNumberId !== mine?.businessNumberId);

    await server.sql('UPDATE api_token SET business_number_ids = $2 WHERE id = $1', [id, [other?.businessNumberId]]);
    await customerWrites('po odebrání', number1.phoneNumberId, '420601000101');
    await live.ended;

    expect(codes(live.errors)).toEqual(['FORBIDDEN']);
    expect(live.all).toHaveLength(1);
  });

  it('is refused for a conversation that is not there', async () => {
    const id = Buffer.from(`Conversation:${randomUUID()}`).toString('base64');
    const live = collect<One>(socketWith(await server.tokenOf('cyril')), ONE, { id });
    await live.ended;

    expect(codes(live.errors)).toEqual(['FORBIDDEN']);
  });
});

describe('other streams', () => {
  it('tell of requests by conversation or request, and of internal ones only to those who may read them', async () => {
    const [requestId, conversationId] = [randomUUID(), randomUUID()];
    const global = (type: string, id: string) => Buffer.from(`${type}:${id}`).toString('base64');
    const CHANGED = `subscription Changed($request: ID, $conversation: ID, $after: EventCursor) {
      requestChanged(requestId: $request, conversationId: $conversation, after: $after) { requestId changedFields } }`;
    type Changed = { requestChanged: { requestId: string; changedFields: string[] } };
    const { secret } = await makeToken(server, ['READ_EVENTS', 'READ_REQUESTS']);
    const after = await cursorAt(server, (await headOf(server)).seq);
    const operator = socketWith(await server.tokenOf('boris'));
    const byRequest = collect<Changed>(operator, CHANGED, { request: global('Request', requestId), after });
    const byConversation = collect<Changed>(operator, CHANGED, {
      conversation: global('Conversation', conversationId),
      after,
    });
    const token = collect<Changed>(socketWith(secret), CHANGED, { after });

    await appendEvents(
      server,
      { type: 'REQUEST_CHANGED', requestId, data: { changedFields: ['notes'], internal: true } },
      { type: 'REQUEST_CHANGED', requestId, data: { changedFields: ['name'] } },
      { type: 'REQUEST_CHANGED', requestId: randomUUID(), conversationId, data: { changedFields: ['tags'] } },
    );

    const fields = (all: Changed[]) => all.map((one) => one.requestChanged.changedFields[0]);
    expect(fields(await byRequest.take(2))).toEqual(['notes', 'name']);
    expect(fields(await byConversation.take(1))).toEqual(['tags']);
    expect(fields(await token.take(2))).toEqual(['name', 'tags']);
  });

  it('tell a token of one number nothing about requests of none, and of what belongs to all numbers', async () => {
    const [number] = await server.sql<{ id: string }>('SELECT id FROM business_number ORDER BY slot LIMIT 1');
    const { secret } = await makeToken(server, ['READ_EVENTS', 'READ_REQUESTS'], [number?.id ?? '']);
    const live = collect<Streamed>(socketWith(secret), EVENTS);
    await live.take(1);

    await appendEvents(
      server,
      { type: 'REQUEST_CHANGED', requestId: randomUUID(), data: { changedFields: ['name'] } },
      { type: 'REQUEST_LINK_CHANGED', requestId: randomUUID(), messageId: randomUUID(), data: { linked: true } },
      {
        type: 'REQUEST_CHANGED',
        requestId: randomUUID(),
        businessNumberId: number?.id ?? '',
        data: { changedFields: [] },
      },
      { type: 'TEMPLATE_CHANGED', templateId: randomUUID(), data: { status: 'PAUSED' } },
    );

    expect(kinds(await live.take(3))).toEqual(['StreamProgress', 'RequestChanged', 'TemplateChanged']);
  });

  it('tell of templates and of operators', async () => {
    const after = await cursorAt(server, (await headOf(server)).seq);
    const socket = socketWith(server.dashboardToken);
    const templates = collect<{ templateChanged: { status: string } }>(
      socket,
      'subscription T($after: EventCursor) { templateChanged(after: $after) { status template { name } } }',
      { after },
    );
    const operators = collect<{ operatorPresenceChanged: { operator: { login: string } } }>(
      socket,
      'subscription O($after: EventCursor) { operatorPresenceChanged(after: $after) { loginState operator { login } } }',
      { after },
    );
    const [alena] = await server.sql<{ id: string }>("SELECT id FROM operator WHERE login = 'alena'");

    await appendEvents(
      server,
      { type: 'TEMPLATE_CHANGED', templateId: randomUUID(), data: { status: 'PAUSED' } },
      { type: 'OPERATOR_PRESENCE_CHANGED', operatorId: alena?.id ?? '', data: { loginState: 'ONLINE' } },
    );

    expect(await templates.take(1)).toEqual([{ templateChanged: { status: 'PAUSED', template: null } }]);
    expect(await operators.take(1)).toEqual([
      { operatorPresenceChanged: { loginState: 'ONLINE', operator: { login: 'alena' } } },
    ]);
  });
});

describe('Query.events', () => {
  const PAGE = `query Page($after: EventCursor!, $first: Int, $types: [ChatEventType!]) {
    events(after: $after, first: $first, types: $types) { cursor hasMore oldestAvailable events { __typename eventId } } stream { head oldest retentionSeconds } }`;
  type Page = {
    events: { cursor: string; hasMore: boolean; oldestAvailable: string; events: unknown[] };
    stream: { head: string; oldest: string; retentionSeconds: number };
  };

  it('pages through everything, and its cursor moves where nothing matched', async () => {
    const dashboard = server.withToken(server.dashboardToken);
    const { seq } = await headOf(server);
    await appendEvents(
      server,
      ...Array.from({ length: 5 }, () => ({ type: 'UNREAD_CHANGED' as const, conversationId: randomUUID() })),
    );
    const after = await cursorAt(server, seq);

    const first = await dashboard.request<Page>(PAGE, { after, first: 3 });
    const second = await dashboard.request<Page>(PAGE, { after: first.events.cursor, first: 3 });
    const none = await dashboard.request<Page>(PAGE, { after, types: ['TEMPLATE_CHANGED'] });

    expect([first, second].map(({ events }) => [events.events.length, events.hasMore])).toEqual([
      [3, true],
      [2, false],
    ]);
    expect([none.events.events.length, none.events.cursor]).toEqual([0, none.stream.head]);
    expect(none.stream.retentionSeconds).toBe(7 * 86_400);
  });

  it('is told where the log began anew while it was read', async () => {
    const { seq, epoch } = await headOf(server);
    await appendEvents(server, { type: 'UNREAD_CHANGED', conversationId: randomUUID() });
    await server.sql("UPDATE event SET epoch = '0123abcd' WHERE seq = $1", [seq + 1]);

    const asked = server.withToken(server.dashboardToken).request(PAGE, { after: await cursorAt(server, seq) });

    await expect(asked).rejects.toThrow('begun anew');
    await server.sql('UPDATE event SET epoch = $2 WHERE seq = $1', [seq + 1, epoch]);
  });

  it.each([0, 501])('refuses first: %i', async (first) => {
    const asked = server.withToken(server.dashboardToken).request(PAGE, { after: await cursorAt(server, 0), first });

    await expect(asked).rejects.toThrow('first must be from 1 to 500');
  });
});

describe('a cursor', () => {
  const cases = async () => ({
    malformed: 'nonsense',
    future: await cursorAt(server, 999_999),
    'of another epoch': await cursorAt(server, 1, '0123abcd'),
  });

  it('that proves nothing is refused with its reason, before the first event, on every way in', async () => {
    for (const [kind, after] of Object.entries(await cases())) {
      const expected = {
        malformed: ['BAD_USER_INPUT', null],
        future: ['CURSOR_EXPIRED', 'FUTURE'],
        'of another epoch': ['CURSOR_EXPIRED', 'EPOCH_CHANGED'],
      }[kind];
      const live = collect(socketWith(server.dashboardToken), EVENTS, { after });
      await live.ended;
      const answers = [live.errors.flat(), await overSse(after), await pulled(after)] as {
        extensions: Record<string, unknown>;
      }[][];

      expect(answers.map(([error]) => [error?.extensions.code, error?.extensions.reason ?? null])).toEqual([
        expected,
        expected,
        expected,
      ]);
      expect(live.all).toEqual([]);
    }
  });

  async function overSse(after: string): Promise<unknown[]> {
    const answer = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${server.dashboardToken}`,
        'last-event-id': after,
      },
      body: JSON.stringify({ query: 'subscription { events { cursor } }' }),
    });
    return ((await answer.json()) as { errors: unknown[] }).errors;
  }

  async function pulled(after: string): Promise<unknown[]> {
    const answer = await server
      .withToken(server.dashboardToken)
      .rawRequest('query Q($after: EventCursor!) { events(after: $after) { cursor } }', { after })
      .catch((error: unknown) => error);
    return (answer as { response: { errors: unknown[] } }).response.errors;
  }
});

describe('rights', () => {
  it('that are revoked close the socket with 4403, and nothing that was committed after leaves', async () => {
    const { id, secret } = await makeToken(server, ['READ_EVENTS']);
    const socket = socketWith(secret);
    const closed = new Promise<unknown>((resolve) => socket.on('closed', resolve));
    const live = collect<Streamed>(socket, EVENTS);
    await live.take(1);

    await server.sql('UPDATE api_token SET revoked_at = now() WHERE id = $1', [id]);
    await customerWrites('po odvolání', number1.phoneNumberId, '420601000111');

    expect(await closed).toMatchObject({ code: 4403 });
    expect(kinds(live.all)).not.toContain('MessageAdded');
  });

  it('end with MODULE_DISABLED when the module is switched off, and come back with it', async () => {
    const live = collect<Streamed>(socketWith(await server.tokenOf('alena')), EVENTS);
    await live.take(1);

    await server.sql('UPDATE settings SET enabled = false');
    await live.ended;
    const refused = collect(socketWith(await server.tokenOf('alena')), EVENTS);
    await refused.ended;
    await server.sql('UPDATE settings SET enabled = true');

    expect([codes(live.errors), codes(refused.errors)]).toEqual([['MODULE_DISABLED'], ['MODULE_DISABLED']]);
    await eventually(async () => {
      const again = collect<Streamed>(socketWith(await server.tokenOf('alena')), EVENTS);
      return Promise.race([again.take(1), again.ended.then(() => null)]);
    });
  });
});

describe('the log', () => {
  it('that is set back begins a new epoch by itself: live ones are told, and old cursors are refused', async () => {
    const live = collect<Streamed>(socketWith(await server.tokenOf('boris')), EVENTS);
    const [progress] = await live.take(1);
    await customerWrites('ztraceno', number1.phoneNumberId, '420601000121');
    await live.take(2);
    const before = await headOf(server);

    await server.sql(
      'BEGIN; DELETE FROM event WHERE seq > $1; UPDATE stream_head SET seq = $1; COMMIT'.replaceAll(
        '$1',
        String(before.seq - 1),
      ),
    );
    await live.ended;

    const after = await headOf(server);
    expect(codes(live.errors)).toEqual(['CURSOR_EXPIRED']);
    expect([after.epoch === before.epoch, after.floor]).toEqual([false, before.seq - 1]);
    const late = collect(socketWith(await server.tokenOf('boris')), EVENTS, { after: progress?.events.cursor });
    await late.ended;
    expect(codes(late.errors)).toEqual(['CURSOR_EXPIRED']);
    await customerWrites('nová epocha', number1.phoneNumberId, '420601000122');
    const anew = collect<Streamed>(socketWith(await server.tokenOf('boris')), EVENTS, {
      after: await cursorAt(server, after.floor),
    });
    expect(kinds(await anew.take(2))).toContain('MessageAdded');
  });

  it('gets a new epoch by the command for after a restore', async () => {
    const live = collect<Streamed>(socketWith(await server.tokenOf('boris')), EVENTS);
    await live.take(1);
    const before = await headOf(server);

    const { stdout } = await promisify(execFile)(process.execPath, ['scripts/epoch.ts', '--force'], {
      env: { ...process.env, DATABASE_URL: server.databaseUrl, NODE_ENV: 'test' },
    });
    await live.ended;

    const after = await headOf(server);
    expect(stdout).toContain(`epoch ${before.epoch} has ended`);
    expect(await server.sql(`SELECT detail FROM audit_entry WHERE action = 'EPOCH_BEGUN'`)).toEqual([
      { detail: '0 messages in doubt' },
    ]);
    expect([codes(live.errors), after.seq, after.floor]).toEqual([['CURSOR_EXPIRED'], before.seq, before.seq]);
  });

  it.each([
    ['by count', { STREAM_RETENTION_EVENTS: '50' }, 50],
    ['by time', { STREAM_RETENTION_SECONDS: '3600' }, 20],
  ])('is kept %s: an older cursor is refused, the oldest one misses nothing', async (_how, settings, kept) => {
    await using database = await createTestDatabase();
    const { sql } = sqlOf(database.url);
    const unread = (count: number) =>
      appendEvents({ sql }, ...Array.from({ length: count }, () => ({ type: 'UNREAD_CHANGED' as const, data: {} })));
    // Setting up the organisation tells events of its own.
    await (await startTestServer({ databaseUrl: database.url }))[Symbol.asyncDispose]();
    await unread(180);
    await sql("UPDATE event SET recorded_at = now() - interval '2 hours'");
    await unread(20);
    const { seq } = await headOf({ sql });

    await using kind = await startTestServer({ settings, databaseUrl: database.url });
    await eventually(async () => (await headOf(kind)).floor === seq - kept);
    const socket = socketTo(kind);
    const oldest = await cursorAt(kind, seq - kept);
    const whole = collect<Streamed>(socket, EVENTS, { types: ['UNREAD_CHANGED'], after: oldest });
    const tooOld = collect(socket, EVENTS, { after: await cursorAt(kind, seq - kept - 5) });

    expect(await whole.take(kept + 1)).toHaveLength(kept + 1);
    await tooOld.ended;
    expect([codes(tooOld.errors), tooOld.all]).toEqual([['CURSOR_EXPIRED'], []]);
    await eventually(async () => (await sql('SELECT seq FROM event WHERE seq < $1', [seq - kept])).length === 0);
  });
});
