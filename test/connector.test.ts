import { createHmac } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { GraphQLClient } from 'graphql-request';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from './support/events.ts';
import { answerJson, startAnswering, type AnsweringServer, type SeenRequest } from './support/http-answers.ts';
import { rowIdOf } from './support/ids.ts';
import { beginConversation, create, created, formChoices } from './support/requests.ts';
import { globalOf } from './support/sends.ts';
import { number1, startTestServer, type TestServer } from './support/server.ts';

const SECRET = 'a secret that both sides know, 32 characters+';
const answerOk = (_seen: SeenRequest, response: ServerResponse) => answerJson(response, 200, {});

let cdesk: AnsweringServer;
let answer = answerOk;
let server: TestServer;
let alena: GraphQLClient;
let choices: Record<string, string>;

beforeAll(async () => {
  cdesk = await startAnswering((seen, response) => answer(seen, response));
  server = await startTestServer({
    settings: {
      CONNECTOR_URL: `${cdesk.url}/hook`,
      CONNECTOR_SECRET: SECRET,
      CONNECTOR_TIMEOUT_MS: '1000',
      MESSAGE_RETENTION_DAYS: '365',
    },
  });
  alena = await server.as('alena');
  choices = await formChoices(alena);
});

beforeEach(() => {
  answer = answerOk;
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await cdesk[Symbol.asyncDispose]();
});

type Told = { type: string; request: Record<string, unknown> & { id: string; revision: number } };

const toldOf = (id: string) =>
  cdesk.seen
    .map(({ body, headers }) => ({ ...(JSON.parse(body) as Told), key: headers['idempotency-key'] }))
    .filter(({ request }) => request.id === rowIdOf(id));

const isMirrored = (id: string) =>
  eventually(async () => {
    const [row] = await server.sql('SELECT 1 FROM request WHERE id = $1 AND mirrored_revision = revision', [
      rowIdOf(id),
    ]);
    return row;
  }, 30_000);

function sign(body: string, at = Date.now(), secret = SECRET): string {
  const time = Math.floor(at / 1000);
  return `t=${time},v1=${createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')}`;
}

async function post(body: string, signature: string | null = sign(body)): Promise<{ status: number; answer: unknown }> {
  const response = await fetch(`${server.url}/connector/changes`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...(signature && { 'x-cdesk-signature': signature }) },
  });
  return { status: response.status, answer: await response.json() };
}

let count = 0;

type Result = { id: string; outcome: string; errors: { code: string; rule?: string; path: string[] }[] };

async function tell(...changes: Record<string, unknown>[]): Promise<Result[]> {
  const body = JSON.stringify({ changes: changes.map((change) => ({ id: `change ${(count += 1)}`, ...change })) });
  const { status, answer: told } = await post(body);
  if (status !== 200) throw new Error(`refused with ${status}: ${JSON.stringify(told)}`);
  return (told as { results: Result[] }).results;
}

const problemsOf = (results: Result[]) =>
  results.flatMap(({ errors }) => errors.map(({ code, rule, path }) => [rule ?? code, ...path].join(' ')));

describe('what happens here', () => {
  it('is told to CDESK: signed, whole, and with the id that CDESK answers', async () => {
    answer = (_seen, response) => answerJson(response, 200, { externalId: 'R-77' });
    const { id: conversationId, messageIds } = await beginConversation(server);

    const request = await created(alena, {
      conversationId,
      name: 'Rozbitá <váza>',
      templateId: choices.Reklamace,
      contactId: choices['Jana Veselá'],
      fields: [
        { key: 'order_number', value: '7' },
        { key: 'damage', value: 'jiné' },
      ],
      tagIds: [choices.VIP],
    });
    await isMirrored(request.id);

    const seen = cdesk.seen.at(-1);
    expect(seen).toMatchObject({ method: 'POST', url: '/hook' });
    const [, time] = /^t=(\d+),/.exec(String(seen?.headers['x-cdesk-signature'])) ?? [];
    expect(seen?.headers['x-cdesk-signature']).toBe(sign(seen?.body ?? '', Number(time) * 1000));
    expect(seen?.headers['idempotency-key']).toBe(`${rowIdOf(request.id)}:1`);
    expect(toldOf(request.id).at(-1)).toMatchObject({
      type: 'request.changed',
      request: {
        code: request.code,
        revision: 1,
        name: 'Rozbitá <váza>',
        description: 'Popis',
        status: 'new',
        closed: false,
        deleted: false,
        visibility: 'REGULAR',
        company: { name: 'Květinářství Růže s.r.o.' },
        contact: { name: 'Jana Veselá', phoneNumber: '+420601123456' },
        template: { name: 'Reklamace' },
        fields: { order_number: '7', damage: 'jiné' },
        tags: ['VIP'],
        createdBy: 'alena',
        conversation: { id: rowIdOf(conversationId) },
        messages: [{ id: rowIdOf(messageIds[0]), role: 'SOURCE' }],
        discussion: [],
      },
    });
    const [row] = await server.sql('SELECT external_id FROM request WHERE id = $1', [rowIdOf(request.id)]);
    expect(row).toEqual({ external_id: 'R-77' });
  });

  it('is told again with every change, in its newest state', async () => {
    const { id: conversationId } = await beginConversation(server, ['jedna', 'dvě']);
    const request = await created(alena, { conversationId });
    const change = (name: string, type: string, input: object) =>
      alena.request(`mutation M($input: ${type}!) { ${name}(input: $input) { errors { message } } }`, {
        input: { requestId: request.id, ...input },
      });

    await change('updateRequest', 'UpdateRequestInput', { expectedVersion: 1, statusKey: 'closed' });
    await change('addRequestTags', 'RequestTagsInput', { tagIds: [choices.VIP] });
    await change('addDiscussionPost', 'AddDiscussionPostInput', {
      kind: 'INTERNAL_NOTE',
      body: 'mezi námi',
      idempotencyKey: 'note',
    });
    await isMirrored(request.id);

    expect(toldOf(request.id).at(-1)?.request).toMatchObject({
      revision: 4,
      version: 2,
      closed: true,
      tags: ['VIP'],
      discussion: [{ kind: 'INTERNAL_NOTE', author: 'alena', body: 'mezi námi' }],
    });
  });

  it('is told when the customer is erased, as are those who look at the request', async () => {
    const { id: conversationId } = await beginConversation(server);
    const request = await created(alena, { conversationId, description: 'Volejte na 601 777 888' });
    await isMirrored(request.id);
    const { conversation } = await alena.request<{ conversation: { participant: { id: string } } }>(
      'query ($id: ID!) { conversation(id: $id) { participant { id } } }',
      { id: conversationId },
    );

    await alena.request(
      `mutation ($input: EraseParticipantInput!) { eraseParticipant(input: $input) { errors { message } } }`,
      { input: { participantId: conversation.participant.id, reason: 'asked by letter' } },
    );
    await isMirrored(request.id);

    expect(toldOf(request.id).at(-1)?.request).toMatchObject({ revision: 2, description: '', messages: [] });
    const events = await server.sql(`SELECT data FROM event WHERE type = 'REQUEST_CHANGED' AND request_id = $1`, [
      rowIdOf(request.id),
    ]);
    expect(events).toMatchObject([{ data: { changedFields: ['description', 'linkedMessages', 'attachments'] } }]);
  });

  it('is told when a message past its day goes with its file, which is gone from the store, too', async () => {
    const { from } = await beginConversation(server);
    const content = Buffer.from('%PDF-1.4 a bill');
    const media = { type: 'document', content, mimeType: 'application/pdf', filename: 'bill.pdf' } as const;
    await server.sandbox.customerWrites({ phoneNumberId: number1.phoneNumberId, from, media });
    const stored = await eventually(async () => {
      const [row] = await server.sql<{ id: string; message: string; conversation: string; key: string }>(
        `SELECT a.id, m.id AS message, m.conversation_id AS conversation, a.storage_key AS key
         FROM attachment a JOIN message m ON m.id = a.message_id WHERE a.file_name = 'bill.pdf' AND a.storage_key IS NOT NULL`,
      );
      return row;
    }, 20_000);
    const request = await created(alena, {
      conversationId: globalOf('Conversation', stored.conversation),
      sourceMessageId: globalOf('Message', stored.message),
      attachmentIds: [globalOf('Attachment', stored.id)],
    });
    await isMirrored(request.id);
    expect(toldOf(request.id).at(-1)?.request).toMatchObject({
      messages: [{ id: stored.message }],
      attachments: [{ fileName: 'bill.pdf' }],
    });
    const file = join(server.env.dataDir, 'files', stored.key);
    expect(existsSync(file)).toBe(true);

    // Two years ago, by the time that its id begins with.
    const twoYearsAgo = (Date.now() - 2 * 365 * 86_400_000).toString(16).padStart(12, '0');
    await server.sql(
      `UPDATE message SET id = overlay(id::text PLACING '${twoYearsAgo.slice(0, 8)}' FROM 1 FOR 8)::uuid WHERE id = $1`,
      [stored.message],
    );
    await server.sql(`SELECT graphile_worker.add_job('retention')`);
    await eventually(async () => !existsSync(file), 20_000);
    await isMirrored(request.id);

    expect(toldOf(request.id).at(-1)?.request).toMatchObject({ version: 1, messages: [], attachments: [] });
    const events = await server.sql(
      `SELECT data FROM event WHERE type = 'REQUEST_CHANGED' AND request_id = $1 ORDER BY seq`,
      [rowIdOf(request.id)],
    );
    expect(events.at(-1)).toMatchObject({ data: { changedFields: ['linkedMessages', 'attachments'] } });
  });

  it('waits for a CDESK that fails, hangs or is away, and holds up nobody here', async () => {
    const { id: conversationId } = await beginConversation(server);
    const failed = new Set<unknown>();
    // The first attempt for each request fails, by turns with 500, by silence, and by a broken connection.
    answer = (seen, response) => {
      const key = seen.headers['idempotency-key'];
      if (failed.has(key)) return answerOk(seen, response);
      failed.add(key);
      if (failed.size === 1) answerJson(response, 500, {});
      if (failed.size === 3) response.destroy();
    };
    const began = Date.now();

    const requests = await Promise.all(
      ['chyba', 'ticho', 'konec'].map((name) => created(alena, { conversationId, name })),
    );
    const tookMs = Date.now() - began;
    await Promise.all(requests.map(({ id }) => isMirrored(id)));

    for (const { id } of requests) {
      const keys = toldOf(id).map(({ key }) => key);
      expect(keys.length).toBeGreaterThan(1);
      expect(new Set(keys).size).toBe(1);
    }
    expect(tookMs).toBeLessThan(5_000);
  }, 60_000);

  it('stays here whole when CDESK never answers', async () => {
    answer = (_seen, response) => void response.destroy();
    const { id: conversationId } = await beginConversation(server);

    const { request, errors } = await create(alena, { conversationId });

    expect(errors).toEqual([]);
    expect(await alena.request('query R($id: ID!) { request(id: $id) { code } }', { id: request?.id })).toEqual({
      request: { code: request?.code },
    });
  });
});

describe('the route for changes', () => {
  it.each([
    ['no signature', () => null],
    ['a wrong secret', (body: string) => sign(body, Date.now(), 'another secret')],
    ['another body', () => sign('{}')],
    ['an old time', (body: string) => sign(body, Date.now() - 301_000)],
    ['a time to come', (body: string) => sign(body, Date.now() + 310_000)],
    ['no sense', () => 't=x,v1=y'],
  ])('refuses %s', async (_what, signature) => {
    const body = JSON.stringify({ changes: [{ id: 'x', type: 'tag.changed', tag: { externalId: 'no', name: 'no' } }] });

    expect((await post(body, signature(body))).status).toBe(401);
    expect(await server.sql(`SELECT 1 FROM tag WHERE name = 'no'`)).toEqual([]);
  });

  it.each([
    ['no JSON', '{', 400],
    ['no changes', '{"changes":[]}', 400],
    ['too many changes', JSON.stringify({ changes: Array.from({ length: 101 }, () => ({})) }), 400],
    ['too much', JSON.stringify({ changes: ['x'.repeat(1024 * 1024)] }), 413],
  ])('answers %s with its status', async (_what, body, status) => {
    expect((await post(body)).status).toBe(status);
  });

  it('takes nothing by GET', async () => {
    expect((await fetch(`${server.url}/connector/changes`)).status).toBe(405);
  });

  it('tells for each change what is wrong with it, and takes the others', async () => {
    const results = await tell(
      { type: 'nothing.changed' },
      { type: 'company.changed', company: { externalId: 'c', name: '' } },
      { type: 'contact.changed', contact: { externalId: 'p', phoneNumber: '777', company: 'nobody' } },
      { type: 'tag.changed', tag: { externalId: 'ok', name: 'dobrý' } },
    );

    expect(results.map(({ outcome }) => outcome)).toEqual(['refused', 'refused', 'refused', 'applied']);
    expect(problemsOf(results)).toEqual(['MALFORMED type', 'MALFORMED company name', 'MALFORMED contact phoneNumber']);
  });
});

describe('what CDESK changes', () => {
  it('holds here: fields, code, tags; the stream has it, operators must read it, and it is not sent back', async () => {
    const { id: conversationId } = await beginConversation(server);
    const request = await created(alena, {
      conversationId,
      templateId: choices.Reklamace,
      tagIds: [choices.fakturace],
      fields: [
        { key: 'order_number', value: '7' },
        { key: 'damage', value: 'jiné' },
      ],
    });
    await isMirrored(request.id);
    const before = toldOf(request.id).length;

    const results = await tell({
      type: 'request.changed',
      request: {
        id: rowIdOf(request.id),
        externalId: 'R-1',
        code: 'CD-2026/1',
        name: ' Jiný  název ',
        status: 'in_progress',
        assignee: 'boris',
        fields: { approved_by: 'vedoucí', order_number: '8' },
        tags: ['VIP', 'reklamace'],
      },
    });

    expect(results).toMatchObject([{ outcome: 'applied', errors: [] }]);
    const ask = `query R($code: String!) { request(code: $code) { id name version status { key } assignee { login }
      tags { name } customFields { field { key } value } } }`;
    const { request: after } = await alena.request<{ request: { customFields: object[] } }>(ask, { code: 'CD-2026/1' });
    expect(after).toMatchObject({
      id: request.id,
      name: 'Jiný název',
      version: 2,
      status: { key: 'in_progress' },
      assignee: { login: 'boris' },
      tags: [{ name: 'VIP' }, { name: 'reklamace' }],
    });
    expect(after.customFields).toContainEqual({ field: { key: 'approved_by' }, value: 'vedoucí' });
    const [event] = await server.sql<{ data: { changedFields: string[] } }>(
      'SELECT data FROM event WHERE request_id = $1 ORDER BY seq DESC LIMIT 1',
      [rowIdOf(request.id)],
    );
    expect(event?.data.changedFields).toEqual(['name', 'status', 'assignee', 'customFields', 'code', 'tags']);
    const stale = await alena.request<{ updateRequest: { errors: object[] } }>(
      `mutation U($input: UpdateRequestInput!) { updateRequest(input: $input) { errors { __typename } } }`,
      { input: { requestId: request.id, expectedVersion: 1, name: 'x' } },
    );
    expect(stale.updateRequest.errors).toEqual([{ __typename: 'StaleStateError' }]);
    const [row] = await server.sql('SELECT request_codes FROM conversation WHERE id = $1', [rowIdOf(conversationId)]);
    expect(row).toEqual({ request_codes: '\ncd-2026/1\n' });
    await isMirrored(request.id);
    expect(toldOf(request.id)).toHaveLength(before);
  });

  it('happens once: a repeat changes nothing, and another content under the same id is refused', async () => {
    const { id: conversationId } = await beginConversation(server);
    const request = await created(alena, { conversationId });
    const change = { id: 'once', type: 'request.changed', request: { id: rowIdOf(request.id), name: 'jednou' } };

    const answers = await Promise.all([tell(change), tell(change), tell(change)]);
    const other = await tell({ ...change, request: { ...change.request, name: 'jinak' } });

    expect(
      answers
        .flat()
        .map(({ outcome }) => outcome)
        .toSorted(),
    ).toEqual(['applied', 'repeated', 'repeated']);
    expect(other).toMatchObject([{ outcome: 'refused', errors: [{ code: 'IDEMPOTENCY_CONFLICT' }] }]);
    const [row] = await server.sql('SELECT name, version FROM request WHERE id = $1', [rowIdOf(request.id)]);
    expect(row).toEqual({ name: 'jednou', version: 2 });
  });

  it('is refused whole where anything of it is wrong, with every path', async () => {
    const { id: conversationId } = await beginConversation(server);
    const request = await created(alena, { conversationId });
    const other = await created(alena, { conversationId });

    const results = await tell(
      {
        type: 'request.changed',
        request: {
          id: rowIdOf(request.id),
          code: other.code,
          name: 'x'.repeat(256),
          status: 'nowhere',
          company: 'nobody',
          contact: 'nobody',
          assignee: 'nobody',
          fields: { nothing: 'x' },
          tags: ['VIP', 'nic'],
        },
      },
      { type: 'request.changed', request: { id: crypto.randomUUID(), name: 'x' } },
      { type: 'request.changed', request: { externalId: 'new one' } },
      {
        type: 'request.post',
        request: { externalId: 'nobody' },
        post: { externalId: 'p', kind: 'PUBLIC_POST', body: 'x' },
      },
    );

    expect(results.map(({ outcome }) => outcome)).toEqual(['refused', 'refused', 'refused', 'refused']);
    expect(problemsOf(results)).toEqual([
      'NOT_FOUND company',
      'NOT_FOUND contact',
      'NOT_FOUND assignee',
      'TOO_LONG name',
      'NOT_FOUND statusKey',
      'UNKNOWN_FIELD fields nothing',
      'DUPLICATE code',
      'NOT_FOUND tags nic',
      'NOT_FOUND id',
      'REQUIRED name',
      'NOT_FOUND request',
    ]);
    const [row] = await server.sql('SELECT name, version, revision FROM request WHERE id = $1', [rowIdOf(request.id)]);
    expect(row).toEqual({ name: 'Rozbitá váza', version: 1, revision: 1 });
  });

  it('may be a new request, and its end; links to it vanish with it and come back', async () => {
    const { id: conversationId } = await beginConversation(server);
    const request = await created(alena, { conversationId });
    await tell({
      type: 'request.changed',
      request: { externalId: 'R-9', conversationId: rowIdOf(conversationId), name: 'Z CDESKu', code: 'CD-9' },
    });
    const list = () =>
      alena.request(
        `query L($id: ID!) { conversation(id: $id) { requests(first: 5) { nodes { code } }
          messages(first: 5) { nodes { requestLinks { code } } } } }`,
        { id: conversationId },
      );
    const whole = await list();

    await tell({ type: 'request.changed', request: { id: rowIdOf(request.id), deleted: true } });
    const without = await list();
    await tell({ type: 'request.changed', request: { id: rowIdOf(request.id), deleted: false } });

    expect(whole).toEqual({
      conversation: {
        requests: { nodes: [{ code: 'CD-9' }, { code: request.code }] },
        messages: { nodes: [{ requestLinks: [{ code: request.code }] }] },
      },
    });
    expect(without).toEqual({
      conversation: { requests: { nodes: [{ code: 'CD-9' }] }, messages: { nodes: [{ requestLinks: [] }] } },
    });
    expect(await list()).toEqual(whole);
  });

  it('may be a post, and a second time its edit', async () => {
    const { id: conversationId } = await beginConversation(server);
    const request = await created(alena, { conversationId });
    const post = { externalId: 'P-1', kind: 'PUBLIC_POST', author: 'Dana', body: 'první' };
    const about = { type: 'request.post', request: { id: rowIdOf(request.id) } };

    await tell({ ...about, post });
    await tell({ ...about, post: { ...post, body: 'opravený' } });

    const answered = await alena.request(
      `query D($id: ID!) { request(id: $id) { version discussion(first: 5) { nodes { kind body authorName author { login } editedAt } } } }`,
      { id: request.id },
    );
    expect(answered).toMatchObject({
      request: {
        version: 1,
        discussion: {
          nodes: [
            { kind: 'PUBLIC_POST', body: 'opravený', authorName: 'Dana', author: null, editedAt: expect.any(String) },
          ],
        },
      },
    });
  });

  it('fills the form: companies, contacts, templates, tags and statuses, each under its own id', async () => {
    const results = await tell(
      { type: 'status.changed', status: { key: 'solved', name: 'Vyřešeno', closed: true, position: 9 } },
      { type: 'company.changed', company: { externalId: 'C-1', name: 'Pekařství Žito' } },
      {
        type: 'contact.changed',
        contact: { externalId: 'P-1', name: 'Olga Žitná', phoneNumber: '00420 605 111 222', company: 'C-1' },
      },
      {
        type: 'template.changed',
        template: {
          externalId: 'T-1',
          name: 'Objednávka',
          company: 'C-1',
          fields: [{ key: 'pieces', label: 'Kusů', type: 'NUMBER', required: true }],
          status: 'new',
          assignee: 'boris',
        },
      },
      { type: 'tag.changed', tag: { externalId: 'G-1', name: 'VIP', color: '#123456' } },
      { type: 'company.changed', company: { externalId: 'C-1', name: 'Pekařství Žito s.r.o.' } },
    );

    expect(results.map(({ outcome, errors }) => [outcome, errors])).toEqual(results.map(() => ['applied', []]));
    const { companies } = await alena.request<{ companies: { id: string }[] }>(
      '{ companies(search: "zito") { id name } }',
    );
    const form = await alena.request(
      `query F($id: ID!) { contacts(companyId: $id) { name phoneNumber } requestTemplates(companyId: $id) { name fields { key type } }
        tags(search: "vip") { name color } }`,
      { id: companies[0]?.id },
    );
    expect(companies).toMatchObject([{ name: 'Pekařství Žito s.r.o.' }]);
    expect(form).toMatchObject({
      contacts: [{ name: 'Olga Žitná', phoneNumber: '+420605111222' }],
      tags: [{ name: 'VIP', color: '#123456' }],
    });
    expect(form).toHaveProperty(
      'requestTemplates',
      expect.arrayContaining([{ name: 'Objednávka', fields: [{ key: 'pieces', type: 'NUMBER' }] }]),
    );
    const { id: conversationId } = await beginConversation(server, ['Chci chleba'], '+420605111222');
    const draft = await alena.request(
      'query D($id: ID!) { requestDraft(conversationId: $id) { contact { name } company { name } } }',
      {
        id: conversationId,
      },
    );
    expect(draft).toEqual({
      requestDraft: { contact: { name: 'Olga Žitná' }, company: { name: 'Pekařství Žito s.r.o.' } },
    });
  });
});

describe('without a connector', () => {
  it('there is no route, and no job is left behind', async () => {
    await using alone = await startTestServer();
    const { id: conversationId } = await beginConversation(alone);

    await created(await alone.as('alena'), { conversationId });

    expect((await fetch(`${alone.url}/connector/changes`, { method: 'POST', body: '{}' })).status).toBe(404);
    expect(await alone.sql(`SELECT 1 FROM graphile_worker.jobs WHERE task_identifier = 'mirror-request'`)).toEqual([]);
  });
});
