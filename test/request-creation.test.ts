import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { eventually } from './support/events.ts';
import { globalIdOf, rowIdOf } from './support/ids.ts';
import { scopedToken } from './support/scoped-token.ts';
import { beginConversation, create, created, formChoices } from './support/requests.ts';
import { startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;
let choices: Record<string, string>;

beforeAll(async () => {
  server = await startTestServer();
  choices = await formChoices(await server.as('boris'));
});

afterAll(() => server[Symbol.asyncDispose]());

const counts = () =>
  server.sql<{ requests: number; links: number; tags: number; serial: number; events: number; keys: number }>(
    `SELECT (SELECT count(*) FROM request)::int AS requests, (SELECT count(*) FROM message_request_link)::int AS links,
       (SELECT count(*) FROM request_tag)::int AS tags, (SELECT coalesce(sum(serial), 0) FROM request_counter)::int AS serial,
       (SELECT seq FROM stream_head)::int AS events, (SELECT count(*) FROM idempotency_key)::int AS keys`,
  );

describe('a new request', () => {
  it('is stored with its code, its SOURCE link and its events', async () => {
    const boris = await server.as('boris');
    const { id: conversationId, messageIds } = await beginConversation(server);
    const [before] = await counts();

    const { request, conversation, errors } = await create(boris, {
      conversationId,
      name: '  Rozbitá\n  váza ',
      description: '  Jak přišla\r\n',
      companyId: choices['Květinářství Růže s.r.o.'],
      contactId: choices['Jana Veselá'],
      templateId: choices.Reklamace,
      fields: [
        { key: 'order_number', value: ' 2026/7 ' },
        { key: 'damage', value: 'poškozené' },
        { key: 'price', value: '1234.50' },
      ],
      tagIds: [choices.VIP, choices.reklamace, choices.VIP],
    });

    expect(errors).toEqual([]);
    expect(conversation).toEqual({ id: conversationId });
    expect(request).toMatchObject({
      name: 'Rozbitá váza',
      description: '  Jak přišla\r\n',
      version: 1,
      visibility: 'REGULAR',
      status: { key: 'new', closed: false },
      company: { name: 'Květinářství Růže s.r.o.' },
      contact: { name: 'Jana Veselá' },
      template: { name: 'Reklamace' },
      createdBy: { displayName: 'Boris Svoboda' },
      tags: [{ name: 'VIP' }, { name: 'reklamace' }],
      linkedMessages: { nodes: [{ id: messageIds[0], requestLinks: [{ code: request?.code, role: 'SOURCE' }] }] },
    });
    expect(Object.fromEntries(request?.customFields.map(({ field, value }) => [field.key, value]) ?? [])).toEqual({
      order_number: '2026/7',
      bought_on: null,
      damage: 'poškozené',
      price: '1234.50',
      under_warranty: null,
      approved_by: null,
    });
    const events = await server.sql(
      `SELECT type, data FROM event WHERE seq > $1 AND type LIKE 'REQUEST%' ORDER BY seq`,
      [before?.events],
    );
    expect(events).toEqual([
      {
        type: 'REQUEST_CHANGED',
        data: {
          internal: false,
          changedFields: [
            'createdAt',
            'code',
            'name',
            'description',
            'status',
            'visibility',
            'company',
            'contact',
            'template',
            'customFields',
            'tags',
          ],
        },
      },
      { type: 'REQUEST_LINK_CHANGED', data: { linked: true, internal: false } },
    ]);
    const [row] = await server.sql<{ request_count: number; request_codes: string }>(
      'SELECT request_count, request_codes FROM conversation ORDER BY number DESC LIMIT 1',
    );
    expect(row).toEqual({ request_count: 1, request_codes: `\n${request?.code}\n` });
  });

  it('takes the company from the contact, and status and assignee from the template', async () => {
    const alena = await server.as('alena');
    const { id: conversationId } = await beginConversation(server);
    await server.sql(
      `INSERT INTO request_template (id, name, status_key, assignee_id)
       SELECT gen_random_uuid(), 'Předem přidělená', 'in_progress', id FROM operator WHERE login = 'boris'`,
    );
    const { 'Předem přidělená': templateId } = await formChoices(alena);

    const request = await created(alena, { conversationId, templateId, contactId: choices['Karel Šťastný'] });

    expect(request).toMatchObject({
      company: { name: 'Strojírny Brno a.s.' },
      status: { key: 'in_progress' },
      assignee: { displayName: 'Boris Svoboda' },
    });
  });

  it('is made of the last customer message, or of any one that is named', async () => {
    const alena = await server.as('alena');
    const { id: conversationId, messageIds } = await beginConversation(server, ['první', 'druhá', 'třetí']);

    const last = await created(alena, { conversationId });
    const named = await created(alena, { conversationId, sourceMessageId: messageIds[1] });

    expect(last.linkedMessages.nodes.map(({ id }) => id)).toEqual([messageIds[2]]);
    expect(named.linkedMessages.nodes.map(({ id }) => id)).toEqual([messageIds[1]]);
  });

  it('shares a file of a message without a second copy', async () => {
    const alena = await server.as('alena');
    const { id: conversationId, messageIds } = await beginConversation(server);
    const [file] = await server.sql<{ id: string }>(
      `INSERT INTO attachment (id, message_id, file_name, mime_type, state)
       VALUES (gen_random_uuid(), $1, 'váza.jpg', 'image/jpeg', 'AVAILABLE') RETURNING id`,
      [rowIdOf(messageIds[0])],
    );
    const attachmentId = globalIdOf('Attachment', file?.id);

    const request = await created(alena, { conversationId, attachmentIds: [attachmentId, attachmentId] });

    expect(request.attachments).toEqual([{ id: attachmentId, fileName: 'váza.jpg' }]);
    expect(await server.sql('SELECT count(*)::int AS n FROM attachment')).toEqual([{ n: 1 }]);
  });

  it.each([
    ['markup', '<script>alert(1)</script> & "quotes" \\ \' {{x}} ${y}'],
    ['joined emoji', '👩‍👩‍👧‍👦'.repeat(31)],
    ['255 letters', 'Ž'.repeat(255)],
    ['255 letters of two units', '𝒳'.repeat(255)],
  ])('keeps a name of %s as text', async (_what, name) => {
    const alena = await server.as('alena');
    const { id: conversationId } = await beginConversation(server);

    const request = await created(alena, { conversationId, name, description: `${name}\n<b>${name}</b>` });

    expect(request).toMatchObject({ name, description: `${name}\n<b>${name}</b>` });
  });
});

describe('bad input', () => {
  it('is told all at once, each with its path, and leaves nothing behind', async () => {
    const alena = await server.as('alena');
    const { id: conversationId } = await beginConversation(server);
    const other = await beginConversation(server);
    const before = await counts();

    const { request, errors } = await create(alena, {
      conversationId,
      sourceMessageId: other.messageIds[0],
      name: 'x'.repeat(256),
      description: 'a\0b',
      companyId: choices['Květinářství Růže s.r.o.'],
      contactId: choices['Karel Šťastný'],
      templateId: choices.Reklamace,
      fields: [
        { key: 'price', value: 'dvanáct' },
        { key: 'bought_on', value: '2026-02-30' },
        { key: 'damage', value: 'neznámá' },
        { key: 'under_warranty', value: 'ano' },
        { key: 'approved_by', value: 'já' },
        { key: 'nothing', value: 'x' },
        { key: 'price', value: '1' },
      ],
      tagIds: [choices.VIP, choices.Reklamace, globalIdOf('Tag', crypto.randomUUID())],
      attachmentIds: [globalIdOf('Attachment', crypto.randomUUID())],
    });

    expect(request).toBeNull();
    expect(errors.map(({ code, rule, path }) => [rule ?? code, ...(path ?? [])].join(' '))).toEqual([
      'NOT_FOUND input sourceMessageId',
      'TOO_LONG input name',
      'UNSTORABLE input description',
      'OTHER_COMPANY input contactId',
      'WRONG_TYPE input fields price',
      'WRONG_TYPE input fields bought_on',
      'WRONG_TYPE input fields damage',
      'WRONG_TYPE input fields under_warranty',
      'READ_ONLY input fields approved_by',
      'UNKNOWN_FIELD input fields nothing',
      'DUPLICATE_FIELD input fields price',
      'REQUIRED input fields order_number',
      'NOT_FOUND input tagIds 1',
      'NOT_FOUND input tagIds 2',
      'NOT_FOUND input attachmentIds 0',
    ]);
    expect(await counts()).toEqual(before);
  });

  it.each<[string, () => Record<string, unknown>, string]>([
    ['an empty name', () => ({ name: ' \n\t' }), 'REQUIRED input name'],
    ['a long text', () => ({ description: 'x'.repeat(32_769) }), 'TOO_LONG input description'],
    [
      'an unknown company',
      () => ({ companyId: globalIdOf('Company', crypto.randomUUID()) }),
      'NOT_FOUND input companyId',
    ],
    ['an id of another kind', () => ({ companyId: choices.VIP }), 'NOT_FOUND input companyId'],
    ['no id at all', () => ({ contactId: 'x' }), 'NOT_FOUND input contactId'],
    ['an unknown template', () => ({ templateId: choices.VIP }), 'NOT_FOUND input templateId'],
    ['fields without a template', () => ({ fields: [{ key: 'a', value: 'b' }] }), 'UNKNOWN_FIELD input fields a'],
    ['an empty key', () => ({ idempotencyKey: '' }), 'KEY_LENGTH input idempotencyKey'],
    [
      'too many tags',
      () => ({ tagIds: Array.from({ length: 51 }, () => globalIdOf('Tag', crypto.randomUUID())) }),
      'TOO_MANY input tagIds',
    ],
  ])('refuses %s', async (_what, wrong, expected) => {
    const alena = await server.as('alena');
    const { id: conversationId } = await beginConversation(server);

    const { request, errors } = await create(alena, { conversationId, ...wrong() });

    expect(request).toBeNull();
    expect(errors.map(({ code, rule, path }) => [rule ?? code, ...(path ?? [])].join(' '))).toEqual([expected]);
  });

  it('knows no template of another company, no file of another conversation, and no file that is gone', async () => {
    const alena = await server.as('alena');
    const { id: conversationId, messageIds } = await beginConversation(server);
    const other = await beginConversation(server);
    await server.sql(
      `INSERT INTO request_template (id, name, company_id)
       SELECT '019abcde-0000-7000-8000-000000000001', 'Jen Brno', id FROM company WHERE name LIKE 'Stroj%'`,
    );
    const files = await server.sql<{ id: string }>(
      `INSERT INTO attachment (id, message_id, mime_type, state, uploaded_by_id)
       VALUES (gen_random_uuid(), $1, 'image/jpeg', 'AVAILABLE', NULL),
         (gen_random_uuid(), $2, 'image/jpeg', 'EXPIRED', NULL),
         (gen_random_uuid(), NULL, 'image/jpeg', 'UPLOADED', (SELECT id FROM operator WHERE login = 'boris')),
         (gen_random_uuid(), NULL, 'image/jpeg', 'UPLOADED', (SELECT id FROM operator WHERE login = 'alena'))
       RETURNING id`,
      [rowIdOf(other.messageIds[0]), rowIdOf(messageIds[0])],
    );

    const { errors } = await create(alena, {
      conversationId,
      companyId: choices['Květinářství Růže s.r.o.'],
      templateId: globalIdOf('RequestTemplate', '019abcde-0000-7000-8000-000000000001'),
      attachmentIds: files.map(({ id }) => globalIdOf('Attachment', id)),
    });

    expect(errors.map(({ code, rule, path }) => [rule ?? code, ...(path ?? [])].join(' '))).toEqual([
      'OTHER_COMPANY input templateId',
      'NOT_FOUND input attachmentIds 0',
      'ATTACHMENT_REJECTED input attachmentIds 1',
      'NOT_FOUND input attachmentIds 2',
    ]);
  });

  it('refuses a message that the customer took back', async () => {
    const alena = await server.as('alena');
    const { id: conversationId, messageIds } = await beginConversation(server, ['zůstane', 'zmizí']);
    await server.sql('UPDATE message SET withdrawn_at = now() WHERE id = $1', [rowIdOf(messageIds[1])]);

    const refused = await create(alena, { conversationId, sourceMessageId: messageIds[1] });
    const fallback = await created(alena, { conversationId });

    expect(refused.errors).toMatchObject([{ rule: 'DELETED', path: ['input', 'sourceMessageId'] }]);
    expect(fallback.linkedMessages.nodes).toMatchObject([{ id: messageIds[0] }]);
  });
});

describe('codes and keys', () => {
  it('makes one request of a double click, and refuses the key for other content', async () => {
    const alena = await server.as('alena');
    const { id: conversationId } = await beginConversation(server);
    const input = { conversationId, idempotencyKey: 'double click' };

    const answers = await Promise.all([1, 2, 3, 4].map(() => create(alena, input)));
    const other = await create(alena, { ...input, name: 'Jiná' });
    const boris = await create(await server.as('boris'), input);

    expect(new Set(answers.map(({ request }) => request?.code)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(other.errors).toMatchObject([{ __typename: 'IdempotencyConflictError' }]);
    expect(boris.replayed).toBe(false);
    expect(
      await server.sql('SELECT count(*)::int AS n FROM request WHERE conversation_id = $1', [rowIdOf(conversationId)]),
    ).toEqual([{ n: 2 }]);
  });

  it('gives a refused key back', async () => {
    const alena = await server.as('alena');
    const { id: conversationId } = await beginConversation(server);
    const input = { conversationId, idempotencyKey: 'second try' };

    const refused = await create(alena, { ...input, name: '' });
    const accepted = await create(alena, input);

    expect(refused.request).toBeNull();
    expect(accepted).toMatchObject({ replayed: false, errors: [] });
  });

  it('runs on without gaps or doubles while refused ones fall between', async () => {
    const clients = await Promise.all([server.as('alena'), server.as('boris')]);
    const conversations = await Promise.all([beginConversation(server), beginConversation(server)]);
    const [before] = await counts();

    const saves = await Promise.all(
      Array.from({ length: 30 }, (_, index) => {
        const client = clients[index % 2] ?? clients[0];
        const conversationId = conversations[index % 2]?.id;
        return create(client, { conversationId, name: index % 5 === 4 ? '' : `Požadavek ${index}` });
      }),
    );

    const codes = saves.flatMap(({ request }) => (request ? [Number(request.code)] : [])).toSorted((a, b) => a - b);
    expect(codes).toEqual(Array.from({ length: 24 }, (_, index) => (before?.serial ?? 0) + index + 1));
  });

  it('passes over a code that is taken', async () => {
    const alena = await server.as('alena');
    const { id: conversationId } = await beginConversation(server);
    const first = await created(alena, { conversationId });
    await server.sql(
      `INSERT INTO request (id, code, name, description, status_key, updated_at)
       VALUES (gen_random_uuid(), $1, 'Z CDESKu', '', 'new', now())`,
      [String(Number(first.code) + 1)],
    );

    const next = await created(alena, { conversationId });

    expect(next.code).toBe(String(Number(first.code) + 2));
  });
});

describe('codes by year', () => {
  it("begin again with the year of the organisation's zone, whoever saves at that moment, and with double clicks", async () => {
    const midnight = Date.parse('2026-12-31T23:00:00.000Z');
    vi.useFakeTimers({ toFake: ['Date'], now: midnight - 60_000 });
    try {
      await server.sql('UPDATE settings SET request_code_yearly = true, time_zone = $1', ['Europe/Prague']);
      const { id: conversationId } = await beginConversation(server);
      const [alena, boris] = await Promise.all([server.as('alena'), server.as('boris')]);
      const lastCode = await eventually(async () => {
        const { code } = await created(alena, { conversationId });
        return code.startsWith('2026-') && code;
      });
      const lastSerial = Number(lastCode.slice(5));
      vi.setSystemTime(midnight - 1_000);

      const clicks = [];
      for (let index = 0; index < 24; index++) {
        // The clock passes midnight while the first ones are still being saved.
        if (index === 12) vi.setSystemTime(midnight);
        const client = index % 2 ? alena : boris;
        const input = { conversationId, idempotencyKey: `click ${index}`, name: `Klik ${index}` };
        clicks.push(create(client, input), create(client, input));
        if (index % 4 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      const answers = await Promise.all(clicks);

      const codes = answers.filter(({ replayed }) => !replayed).map(({ request }) => request?.code ?? '');
      expect(answers.every(({ request }) => request)).toBe(true);
      expect(codes).toHaveLength(24);
      expect(new Set(codes).size).toBe(24);
      const serials = (year: string) =>
        codes
          .filter((code) => code.startsWith(`${year}-`))
          .map((code) => Number(code.slice(5)))
          .toSorted((a, b) => a - b);
      const [old, fresh] = [serials('2026'), serials('2027')];
      expect(old).toEqual(old.map((_, index) => lastSerial + index + 1));
      expect(fresh).toEqual(fresh.map((_, index) => index + 1));
      expect(fresh.length).toBeGreaterThanOrEqual(12);
      expect(old.length + fresh.length).toBe(24);
    } finally {
      vi.useRealTimers();
      await server.sql('UPDATE settings SET request_code_yearly = false');
    }
  });
});

describe('rights', () => {
  it('lets in whoever may create, and nobody else', async () => {
    const { id: conversationId } = await beginConversation(server);
    const [number] = await server.sql<{ id: string }>('SELECT id FROM business_number WHERE slot = 2');
    const reader = server.withToken(await scopedToken(server, ['READ_CONVERSATIONS', 'READ_REQUESTS']));
    const writer = server.withToken(await scopedToken(server, ['READ_CONVERSATIONS', 'WRITE_REQUESTS']));
    const elsewhere = server.withToken(
      await scopedToken(server, ['READ_CONVERSATIONS', 'WRITE_REQUESTS'], [number?.id ?? '']),
    );

    const cyril = await create(await server.as('cyril'), { conversationId });
    const read = await create(reader, { conversationId });
    const written = await create(writer, { conversationId });
    const hidden = await create(elsewhere, { conversationId });

    expect(cyril.errors).toMatchObject([{ __typename: 'ForbiddenError' }]);
    expect(read.errors).toMatchObject([{ __typename: 'ForbiddenError' }]);
    expect(written).toMatchObject({ request: null, errors: [], replayed: false });
    expect(hidden.errors).toMatchObject([{ __typename: 'NotFoundError', path: ['input', 'conversationId'] }]);
  });
});
