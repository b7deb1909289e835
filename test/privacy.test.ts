import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadEnv } from '../src/env.ts';
import { openDatabase } from '../src/db/database.ts';
import { Failure } from '../src/errors.ts';
import { builtInStore } from '../src/services/connector.ts';
import { recordExport } from '../src/services/privacy/export.ts';
import { enforceRetention } from '../src/services/privacy/retention.ts';
import { eventually } from './support/events.ts';
import { bodyOf, changeOf, textMessage } from './support/raw-bodies.ts';
import { createTestRedis } from './support/redis.ts';
import { number1, startTestServer, type TestServer } from './support/server.ts';

const CANARY = 'KANAREK-5f2c';
const PHONE = '420601777888';
const NEIGHBOUR = '420602111222';

let server: TestServer;
let redis: { url: string };

beforeAll(async () => {
  redis = await createTestRedis();
  server = await startTestServer({ settings: { REDIS_URL: redis.url } });
});

afterAll(() => server[Symbol.asyncDispose]());

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

const ERASE = `mutation ($id: ID!, $reason: String! = "asked by letter") {
  eraseParticipant(input: { participantId: $id, reason: $reason }) {
    erasedMessages erasedAttachments errors { __typename code path }
  }
}`;
const EXPORT = `mutation ($id: ID!) {
  exportParticipant(input: { participantId: $id }) { url expiresAt errors { __typename code } }
}`;

type Erased = {
  eraseParticipant: {
    erasedMessages: number;
    erasedAttachments: number;
    errors: { __typename: string; code: string }[];
  };
};
type Exported = { exportParticipant: { url: string; errors: { __typename: string }[] } };

/** Every row of every table as text, with the bytes of raw deliveries readable. */
async function dump(): Promise<string> {
  const tables = await server.sql<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const rows = await Promise.all(
    tables.map(({ name }) => server.sql<{ row: string }>(`SELECT t::text AS row FROM ${name} t`)),
  );
  const bodies = await server.sql<{ body: Buffer }>('SELECT body FROM webhook_delivery');
  return [...rows.flat().map(({ row }) => row), ...bodies.map(({ body }) => body.toString('utf8'))].join('\n');
}

async function streamText(): Promise<string> {
  const client = new Redis(redis.url);
  const entries = await client.xrange('cdesk-chats:events', '-', '+');
  client.disconnect();
  return JSON.stringify(entries);
}

const filesOf = () =>
  readdirSync(server.env.dataDir, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.parentPath.includes('/files/attachments'),
  );

/** A customer with text, picture, reply and status; and a neighbour in the same delivery. */
async function customer(): Promise<{ participantId: string; conversationId: string; number: number }> {
  const contacts = [
    { wa_id: PHONE, profile: { name: `${CANARY} Veselá` } },
    { wa_id: NEIGHBOUR, profile: { name: 'Soused' } },
  ];
  const messages = [
    textMessage('wamid.CANARY1', `${CANARY} dobrý den`, { from: PHONE }),
    textMessage('wamid.NEIGHBOUR1', 'Já nic', { from: NEIGHBOUR }),
  ];
  const metadata = { display_phone_number: number1.phoneNumber, phone_number_id: number1.phoneNumberId };
  expect((await server.postWebhook(bodyOf(changeOf({ metadata, contacts, messages })))).status).toBe(200);
  await server.sandbox.customerWrites({
    phoneNumberId: number1.phoneNumberId,
    from: `+${PHONE}`,
    media: { type: 'image', content: png, mimeType: 'image/png', caption: `${CANARY} účet` },
  });
  const [row] = await server.sql<{ id: string; participant: string; number: number }>(
    `SELECT c.id, p.id AS participant, c.number FROM conversation c JOIN participant p ON p.id = c.participant_id
     WHERE p.wa_id = $1`,
    [PHONE],
  );
  if (!row) throw new Error('the customer did not come in');
  await eventually(async () => filesOf().length > 0, 20_000);
  const conversationId = btoa(`Conversation:${row.id}`);
  const alena = await server.as('alena');
  await alena.request(
    `mutation ($input: ReplyToConversationInput!) { replyToConversation(input: $input) { errors { code } } }`,
    { input: { conversationId, text: `${CANARY} odpověď`, idempotencyKey: 'canary' } },
  );
  await eventually(async () => {
    const [sent] = await server.sql(`SELECT 1 FROM message WHERE status = 'READ' AND conversation_id = $1`, [row.id]);
    return sent;
  }, 20_000);
  const { createRequest } = await alena.request<{ createRequest: { request: { id: string } } }>(
    `mutation ($input: CreateRequestInput!) { createRequest(input: $input) { request { id } } }`,
    { input: { conversationId, name: 'Účet', description: CANARY, idempotencyKey: 'canary request' } },
  );
  await alena.request(
    `mutation ($input: AddDiscussionPostInput!) { addDiscussionPost(input: $input) { errors { code } } }`,
    {
      input: {
        requestId: createRequest.request.id,
        kind: 'INTERNAL_NOTE',
        body: 'volejte večer',
        idempotencyKey: 'canary note',
      },
    },
  );
  return { participantId: btoa(`Participant:${row.participant}`), conversationId, number: row.number };
}

describe('a customer who asks', () => {
  it('gets everything that is kept in one file, and is forgotten everywhere', async () => {
    const { participantId, conversationId, number } = await customer();
    const alena = await server.as('alena');
    const { stream } = await alena.request<{ stream: { head: string; oldest: string } }>('{ stream { head oldest } }');

    const { exportParticipant } = await alena.request<Exported>(EXPORT, { id: participantId });
    const file = await fetch(exportParticipant.url);
    const exported = await file.text();
    expect(file.headers.get('content-disposition')).toContain('attachment');
    expect(JSON.parse(exported)).toMatchObject({
      participants: [{ waId: PHONE }],
      conversations: [{ conversation: { number }, messages: [{ kind: 'TEXT' }, { kind: 'IMAGE' }, { kind: 'TEXT' }] }],
    });
    expect(exported.split(CANARY).length - 1).toBeGreaterThanOrEqual(4);
    expect(exported).not.toContain(NEIGHBOUR);
    expect(exported).toContain('volejte večer');
    expect(await dump()).toContain(CANARY);
    expect(await streamText()).toContain('MESSAGE_ADDED');

    const { eraseParticipant } = await alena.request<Erased>(ERASE, { id: participantId });

    expect(eraseParticipant).toEqual({ erasedMessages: 3, erasedAttachments: 1, errors: [] });
    const left = await eventually(async () => {
      const text = await dump();
      return !text.includes(PHONE) && text;
    }, 20_000);
    expect(left).not.toContain(CANARY);
    expect(left).not.toContain('wamid.CANARY1');
    expect(left).toContain('Já nic');
    expect(left).toContain(NEIGHBOUR);
    await eventually(async () => filesOf().length === 0, 20_000);
    await eventually(async () => !(await streamText()).includes('MESSAGE_ADDED'), 20_000);
    expect((await fetch(exportParticipant.url)).status).toBe(404);

    const shown = await alena.request(
      `query ($id: ID!) { conversation(id: $id) { number unreadCount lastMessage { id } beacon { on } window { state }
        participant { displayName phoneNumber } messages(first: 10) { nodes { id } } } }`,
      { id: conversationId },
    );
    expect(shown).toMatchObject({
      conversation: {
        number,
        unreadCount: 0,
        lastMessage: null,
        beacon: { on: false },
        window: { state: 'NEVER_OPENED' },
        participant: { displayName: expect.stringMatching(/^Customer [0-9a-f]{6}$/), phoneNumber: null },
        messages: { nodes: [] },
      },
    });

    // The log has no hole: whoever resumes from before gets on, and is told nothing of the person.
    const gaps = await server.sql('SELECT count(*)::int AS n, max(seq) - min(seq) + 1 AS span FROM event');
    expect(String(gaps[0]?.n)).toBe(String(gaps[0]?.span));
    const { events } = await alena.request<{ events: { events: { __typename: string }[]; hasMore: boolean } }>(
      `query ($after: EventCursor!) { events(after: $after, first: 500) { hasMore events { __typename ... on MessageAdded { conversationId } } } }`,
      { after: stream.oldest },
    );
    expect(events.hasMore).toBe(false);
    expect(events.events.filter((event) => JSON.stringify(event).includes(conversationId))).toEqual([]);
    const { auditLog } = await alena.request<{ auditLog: { nodes: { action: string; subjectId: string }[] } }>(
      '{ auditLog(first: 2) { nodes { action subjectId detail } } }',
    );
    expect(auditLog.nodes).toMatchObject([
      { action: 'PARTICIPANT_ERASED', subjectId: participantId, detail: 'asked by letter' },
      { action: 'PARTICIPANT_EXPORTED', subjectId: participantId },
    ]);

    expect(await alena.request<Erased>(ERASE, { id: participantId })).toMatchObject({
      eraseParticipant: { erasedMessages: 0, errors: [] },
    });
    await server.sandbox.customerWrites({ phoneNumberId: number1.phoneNumberId, from: `+${PHONE}`, text: 'Znovu' });
    expect(await server.sql('SELECT 1 FROM participant WHERE wa_id = $1', [PHONE])).toHaveLength(1);
  });

  it.each([
    [
      'another spelling of the number',
      [{ from: '5511998650160' }, { from: '551198650160' }],
      "wa_id = '5511998650160'",
    ],
    [
      'a user id of before',
      [
        { from_user_id: 'CZ.old' },
        { type: 'system', system: { type: 'user_changed_user_id', user_id: 'CZ.new', previous_user_id: 'CZ.old' } },
        { from_user_id: 'CZ.new' },
      ],
      "user_id = 'CZ.new'",
    ],
  ])('is forgotten under %s, and a replay brings nobody back', async (_what, messages, where) => {
    const metadata = { display_phone_number: number1.phoneNumber, phone_number_id: number1.phoneNumberId };
    const timestamp = String(Math.floor(Date.now() / 1000));
    for (const message of messages) {
      const written = textMessage(`wamid.${randomUUID()}`, `${CANARY} tajné`, {
        from: undefined,
        timestamp,
        ...message,
      });
      expect((await server.postWebhook(bodyOf(changeOf({ metadata, messages: [written] })))).status).toBe(200);
    }
    const people = await server.sql<{ id: string }>(`SELECT id FROM participant WHERE ${where}`);
    expect(people).toHaveLength(1);
    const alena = await server.as('alena');

    await alena.request(ERASE, { id: btoa(`Participant:${people[0]?.id}`) });

    await eventually(async () => !(await dump()).includes(CANARY), 20_000);
    await alena.request(
      'mutation { replayWebhookDeliveries(input: { states: [PROCESSED] }) { queued errors { code } } }',
    );
    await eventually(async () => {
      const waiting = await server.sql(`SELECT 1 FROM webhook_delivery WHERE state = 'RECEIVED'`);
      return waiting.length === 0;
    }, 20_000);
    expect(await server.sql(`SELECT id FROM participant WHERE ${where}`)).toEqual([]);
    expect(await dump()).not.toContain(CANARY);
  });

  it('is forgotten by what waits to be done, too', async () => {
    await using own = await startTestServer({ settings: { ROLE: 'api' } });
    const metadata = { display_phone_number: number1.phoneNumber, phone_number_id: number1.phoneNumberId };
    const messages = [textMessage('wamid.WAITS', 'Přečteno?', { from: '420605000222' })];
    await own.postWebhook(bodyOf(changeOf({ metadata, messages })));
    const alena = await own.as('alena');
    const { conversations } = await alena.request<{
      conversations: { nodes: { id: string; participant: { id: string }; lastMessage: { id: string } }[] };
    }>('{ conversations(first: 1) { nodes { id participant { id } lastMessage { id } } } }');
    const [conversation] = conversations.nodes;
    await alena.request(
      'mutation ($input: MarkConversationReadInput!) { markConversationRead(input: $input) { errors { code } } }',
      {
        input: {
          conversationId: conversation?.id,
          upToMessageId: conversation?.lastMessage.id,
          sendReadReceipt: true,
        },
      },
    );
    const waiting = () =>
      own.sql(`SELECT 1 FROM graphile_worker._private_jobs WHERE payload::text LIKE '%wamid.WAITS%'`);
    expect(await waiting()).toHaveLength(1);

    await alena.request(ERASE, { id: conversation?.participant.id });

    expect(await waiting()).toEqual([]);
  });

  it('is not exported by who read them before they were erased', async () => {
    const metadata = { display_phone_number: number1.phoneNumber, phone_number_id: number1.phoneNumberId };
    const messages = [textMessage('wamid.HASTE', 'Rychle', { from: '420605000111' })];
    await server.postWebhook(bodyOf(changeOf({ metadata, messages })));
    const [person] = await server.sql<{ id: string }>(`SELECT id FROM participant WHERE wa_id = '420605000111'`);
    const [exporter] = await server.sql<{ id: string }>(`SELECT id FROM operator WHERE login = 'alena'`);
    if (!person || !exporter) throw new Error('the customer did not come in');
    await (await server.as('alena')).request(ERASE, { id: btoa(`Participant:${person.id}`) });
    await using db = openDatabase({ url: server.databaseUrl, poolSize: 2 });
    const stored = { id: randomUUID(), participantId: person.id, storageKey: 'exports/late', byteSize: 1, sha256: '' };
    const actor = { key: `operator:${exporter.id}`, operatorId: exporter.id, tokenId: null, address: null };

    const late = recordExport(db, actor, { ...stored, expiresAt: new Date() }, null);

    await expect(late).rejects.toThrow(Failure);
    expect(await server.sql('SELECT 1 FROM participant_export WHERE participant_id = $1', [person.id])).toEqual([]);
  });

  it('is not erased by who may not, without a reason, or where there is nobody', async () => {
    const nobody = btoa('Participant:01900000-0000-7000-8000-000000000000');
    const alena = await server.as('alena');

    for (const client of [await server.as('boris'), server.withToken(server.dashboardToken)]) {
      expect((await client.request<Erased>(ERASE, { id: nobody })).eraseParticipant.errors).toMatchObject([
        { __typename: 'ForbiddenError' },
      ]);
      expect((await client.request<Exported>(EXPORT, { id: nobody })).exportParticipant.errors).toMatchObject([
        { __typename: 'ForbiddenError' },
      ]);
    }
    expect((await alena.request<Erased>(ERASE, { id: nobody })).eraseParticipant.errors).toMatchObject([
      { __typename: 'NotFoundError' },
    ]);
    const [anybody] = await server.sql<{ id: string }>('SELECT id FROM participant WHERE erased_at IS NULL LIMIT 1');
    const blank = { id: btoa(`Participant:${anybody?.id}`), reason: ' ' };
    expect((await alena.request<Erased>(ERASE, blank)).eraseParticipant.errors).toMatchObject([
      { __typename: 'ValidationError', path: ['input', 'reason'] },
    ]);
  });
});

describe('retention', () => {
  it('deletes what is past its day and nothing else, and no conversation points to what is gone', async () => {
    await using own = await startTestServer({ settings: { ROLE: 'api' } });
    const write = (from: string, text: string) =>
      own.sandbox.customerWrites({ phoneNumberId: number1.phoneNumberId, from, text });
    await write('+420603000001', 'dávno');
    await write('+420603000002', 'dávno a dnes');
    await own.sql(`UPDATE message SET id = overlay(id::text PLACING '0180' FROM 1 FOR 4)::uuid`);
    await own.sql(`UPDATE conversation c SET last_message_id = m.id, last_incoming_message_id = m.id, beacon_trigger_id = m.id
      FROM message m WHERE m.conversation_id = c.id`);
    await own.sql(`UPDATE webhook_delivery SET received_at = now() - interval '40 days'`);
    await own.sql(
      `INSERT INTO audit_entry (id, action, at) VALUES (gen_random_uuid(), 'OLD', now() - interval '3 years')`,
    );
    await write('+420603000002', 'dnes');
    await using db = openDatabase({ url: own.databaseUrl, poolSize: 2 });
    const env = loadEnv({ NODE_ENV: 'test', DATA_DIR: own.env.dataDir });

    const days = { deliveries: env.deliveryRetentionDays, media: 30, messages: 365, audit: env.auditRetentionDays };
    await enforceRetention({ db, days, connector: builtInStore, removeFile: async () => {} });

    const texts = await own.sql<{ preview: string }>('SELECT preview FROM message');
    expect(texts.map(({ preview }) => preview)).toEqual(['dnes']);
    expect(await own.sql('SELECT 1 FROM webhook_delivery')).toHaveLength(1);
    expect(await own.sql(`SELECT 1 FROM audit_entry WHERE action = 'OLD'`)).toHaveLength(0);
    const { conversations } = await (
      await own.as('alena')
    ).request<{ conversations: { nodes: unknown[] } }>(
      '{ conversations(first: 5) { nodes { unreadCount lastMessage { preview } beacon { on } } } }',
    );
    expect(conversations.nodes).toMatchObject([
      { unreadCount: 1, lastMessage: { preview: 'dnes' } },
      { unreadCount: 0, lastMessage: null, beacon: { on: false } },
    ]);
  });
});
