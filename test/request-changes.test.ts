import { gql, type GraphQLClient } from 'graphql-request';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  beginConversation,
  created,
  ERRORS,
  formChoices,
  REQUEST,
  type Payload,
  type RequestAnswer,
} from './support/requests.ts';
import { globalIdOf, rowIdOf } from './support/ids.ts';
import { scopedToken } from './support/scoped-token.ts';
import { startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;
let alena: GraphQLClient;
let boris: GraphQLClient;
let choices: Record<string, string>;
let conversation: Awaited<ReturnType<typeof beginConversation>>;
let request: RequestAnswer;

beforeAll(async () => {
  server = await startTestServer();
  [alena, boris] = await Promise.all([server.as('alena'), server.as('boris')]);
  choices = await formChoices(alena);
});

beforeEach(async () => {
  conversation = await beginConversation(server);
  request = await created(alena, {
    conversationId: conversation.id,
    templateId: choices.Reklamace,
    fields: [
      { key: 'order_number', value: '1' },
      { key: 'damage', value: 'jiné' },
      { key: 'price', value: '10' },
    ],
  });
});

afterAll(() => server[Symbol.asyncDispose]());

const mutation = (name: string, input: string) => gql`
  mutation Change($input: ${input}!) {
    ${name}(input: $input) {
      ${REQUEST}
      ${ERRORS}
    }
  }
`;

const change =
  (name: string, inputType: string) =>
  async (client: GraphQLClient, input: Record<string, unknown>): Promise<Payload> => {
    const whole = { requestId: request.id, ...input };
    const answer = await client.request<Record<string, Payload>>(mutation(name, inputType), { input: whole });
    const payload = answer[name];
    if (!payload) throw new Error('the mutation answered nothing');
    return payload;
  };

const update = change('updateRequest', 'UpdateRequestInput');
const addTags = change('addRequestTags', 'RequestTagsInput');
const removeTags = change('removeRequestTags', 'RequestTagsInput');
const addFiles = change('addRequestAttachments', 'RequestAttachmentsInput');
const removeFiles = change('removeRequestAttachments', 'RequestAttachmentsInput');

const POST = gql`
  mutation Post($input: AddDiscussionPostInput!) {
    addDiscussionPost(input: $input) {
      replayed
      post {
        id
        kind
        body
        authorName
        author {
          displayName
        }
        attachments {
          id
        }
      }
      request {
        id
        version
      }
      ${ERRORS}
    }
  }
`;

type Posted = {
  post: { id: string; kind: string; body: string | null; authorName: string; author: object | null } | null;
  request: { id: string; version: number } | null;
  replayed: boolean;
  errors: Payload['errors'];
};

async function post(client: GraphQLClient, input: Record<string, unknown>): Promise<Posted> {
  const whole = { requestId: request.id, kind: 'PUBLIC_POST', idempotencyKey: crypto.randomUUID(), ...input };
  return (await client.request<{ addDiscussionPost: Posted }>(POST, { input: whole })).addDiscussionPost;
}

const DISCUSSION = gql`
  query Discussion($id: ID!, $first: Int, $after: String) {
    request(id: $id) {
      discussion(first: $first, after: $after) {
        totalCount
        pageInfo {
          hasNextPage
          endCursor
        }
        nodes {
          kind
          body
        }
      }
    }
  }
`;

type Discussion = {
  request: {
    discussion: {
      totalCount: number;
      pageInfo: { hasNextPage: boolean; endCursor: string };
      nodes: { kind: string; body: string | null }[];
    };
  };
};

const told = ({ errors }: { errors: Payload['errors'] }) =>
  errors.map(({ code, rule, path }) => [rule ?? code, ...(path ?? [])].join(' '));

const eventsOf = () =>
  server.sql<{ type: string; data: { changedFields?: string[]; internal: boolean } }>(
    'SELECT type, data FROM event WHERE request_id = $1 ORDER BY seq',
    [rowIdOf(request.id)],
  );

describe('updateRequest', () => {
  it('changes what is given, clears what is null, and leaves what is left out', async () => {
    const { operators } = await alena.request<{ operators: { nodes: { id: string; displayName: string }[] } }>(
      '{ operators(first: 10) { nodes { id displayName } } }',
    );
    const assigneeId = operators.nodes.find(({ displayName }) => displayName === 'Boris Svoboda')?.id;

    const first = await update(boris, {
      expectedVersion: 1,
      name: ' Jiný <i>název</i> ',
      contactId: choices['Jana Veselá'],
      statusKey: 'closed',
      assigneeId,
      visibility: 'INTERNAL',
      fields: [
        { key: 'price', value: null },
        { key: 'bought_on', value: '2026-02-28' },
      ],
    });
    const second = await update(alena, { expectedVersion: 2, description: null, assigneeId: null });

    expect(first).toMatchObject({
      errors: [],
      conversation: { id: conversation.id },
      request: {
        version: 2,
        name: 'Jiný <i>název</i>',
        description: 'Popis',
        company: { name: 'Květinářství Růže s.r.o.' },
        contact: { name: 'Jana Veselá' },
        status: { key: 'closed', closed: true },
        assignee: { displayName: 'Boris Svoboda' },
        visibility: 'INTERNAL',
      },
    });
    expect(Object.fromEntries(first.request?.customFields.map(({ field, value }) => [field.key, value]) ?? [])).toEqual(
      {
        order_number: '1',
        damage: 'jiné',
        price: null,
        bought_on: '2026-02-28',
        under_warranty: null,
        approved_by: null,
      },
    );
    expect(second.request).toMatchObject({ version: 3, description: '', assignee: null, status: { key: 'closed' } });
    const changes = (await eventsOf()).map(({ data }) => data.changedFields).slice(2);
    expect(changes).toEqual([
      ['name', 'company', 'contact', 'status', 'assignee', 'visibility', 'customFields'],
      ['description', 'assignee'],
    ]);
  });

  it('tells everything that is wrong at once and changes nothing', async () => {
    const answer = await update(boris, {
      expectedVersion: 7,
      name: null,
      description: 'x'.repeat(32_769),
      companyId: choices['Strojírny Brno a.s.'],
      contactId: choices['Jana Veselá'],
      statusKey: 'nowhere',
      assigneeId: globalIdOf('Operator', crypto.randomUUID()),
      visibility: null,
      fields: [
        { key: 'order_number', value: ' ' },
        { key: 'price', value: 'x' },
        { key: 'unknown', value: 'x' },
      ],
    });

    expect(answer.request).toBeNull();
    expect(answer.errors[0]).toMatchObject({ __typename: 'StaleStateError', currentVersion: 1 });
    expect(told(answer)).toEqual([
      'STALE_STATE',
      'REQUIRED input name',
      'TOO_LONG input description',
      'OTHER_COMPANY input contactId',
      'NOT_FOUND input statusKey',
      'NOT_FOUND input assigneeId',
      'REQUIRED input visibility',
      'WRONG_TYPE input fields price',
      'UNKNOWN_FIELD input fields unknown',
      'REQUIRED input fields order_number',
    ]);
    expect(await eventsOf()).toHaveLength(2);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['a name of 256 characters', { name: 'x'.repeat(256) }, 'TOO_LONG input name'],
    ['a status that is cleared', { statusKey: null }, 'REQUIRED input statusKey'],
    ['required fields that are cleared with all', { fields: null }, 'REQUIRED input fields order_number'],
    [
      'a field that CDESK keeps',
      { fields: [{ key: 'approved_by', value: 'já' }] },
      'READ_ONLY input fields approved_by',
    ],
  ])('refuses %s', async (_what, wrong, expected) => {
    expect(told(await update(boris, { expectedVersion: 1, ...wrong }))).toContain(expected);
  });

  it('keeps contact and company together', async () => {
    await update(boris, { expectedVersion: 1, contactId: choices['Jana Veselá'] });

    const moved = await update(boris, { expectedVersion: 2, companyId: choices['Strojírny Brno a.s.'] });
    const cleared = await update(boris, { expectedVersion: 2, companyId: null });
    const both = await update(boris, { expectedVersion: 2, companyId: null, contactId: null });

    expect(told(moved)).toEqual(['OTHER_COMPANY input companyId']);
    expect(told(cleared)).toEqual(['OTHER_COMPANY input companyId']);
    expect(both.request).toMatchObject({ company: null, contact: null, version: 3 });
  });

  it('tells nothing of an update that changes nothing', async () => {
    const { request: same } = await update(boris, { expectedVersion: 1, name: request.name, statusKey: 'new' });

    expect(same?.version).toBe(1);
    expect(await eventsOf()).toHaveLength(2);
  });

  it('finds no deleted request', async () => {
    await server.sql('UPDATE request SET deleted_at = now() WHERE id = $1', [rowIdOf(request.id)]);

    expect(told(await update(boris, { expectedVersion: 1, name: 'x' }))).toEqual(['NOT_FOUND input requestId']);
    expect(told(await addTags(boris, { tagIds: [choices.VIP] }))).toEqual(['NOT_FOUND input requestId']);
    expect(told(await post(boris, { body: 'x' }))).toEqual(['NOT_FOUND input requestId']);
    expect(
      await boris.request('query R($id: ID!) { request(id: $id) { id } node(id: $id) { id } }', { id: request.id }),
    ).toEqual({
      request: null,
      node: null,
    });
  });
});

describe('tags', () => {
  it('are added and removed without touching the others, again and again', async () => {
    await Promise.all([
      addTags(alena, { tagIds: [choices.VIP, choices.VIP] }),
      addTags(boris, { tagIds: [choices.reklamace] }),
      addTags(boris, { tagIds: [choices.VIP] }),
    ]);
    const again = await addTags(alena, { tagIds: [choices.VIP] });
    const removed = await removeTags(alena, { tagIds: [choices.VIP] });
    const twice = await removeTags(alena, { tagIds: [choices.VIP, choices.fakturace] });

    expect(again.request?.tags.map(({ name }) => name)).toEqual(['VIP', 'reklamace']);
    expect(removed.request?.tags.map(({ name }) => name)).toEqual(['reklamace']);
    expect(twice).toMatchObject({ errors: [], request: { version: 1, tags: [{ name: 'reklamace' }] } });
    expect((await eventsOf()).slice(2).map(({ data }) => data.changedFields)).toEqual([['tags'], ['tags'], ['tags']]);
  });

  it('come from the list only', async () => {
    const answer = await addTags(alena, { tagIds: [choices.VIP, globalIdOf('Tag', crypto.randomUUID()), 'x'] });

    expect(told(answer)).toEqual(['NOT_FOUND input tagIds 1', 'NOT_FOUND input tagIds 2']);
    expect((await update(alena, { expectedVersion: 1 })).request?.tags).toEqual([]);
  });
});

describe('attachments', () => {
  const file = async (messageId: string | undefined, uploadedBy: string | null = null, state = 'AVAILABLE') => {
    const [row] = await server.sql<{ id: string }>(
      `INSERT INTO attachment (id, message_id, file_name, mime_type, state, uploaded_by_id)
       VALUES (gen_random_uuid(), $1, 'a.pdf', 'application/pdf', $3::"AttachmentState", (SELECT id FROM operator WHERE login = $2))
       RETURNING id`,
      [messageId ? rowIdOf(messageId) : null, uploadedBy, state],
    );
    return globalIdOf('Attachment', row?.id);
  };

  it('are shared with the message, which keeps them when the request lets them go', async () => {
    const ofMessage = await file(conversation.messageIds[0]);
    const own = await file(undefined, 'boris', 'UPLOADED');

    const added = await addFiles(boris, { attachmentIds: [ofMessage, own] });
    const repeated = await addFiles(boris, { attachmentIds: [ofMessage] });
    const removed = await removeFiles(alena, { attachmentIds: [ofMessage, own, 'x'] });

    expect(added.request?.attachments.map(({ id }) => id).toSorted()).toEqual([ofMessage, own].toSorted());
    expect(repeated.request?.attachments).toHaveLength(2);
    expect(removed).toMatchObject({ errors: [], request: { attachments: [] } });
    const message = await alena.request(
      'query M($id: ID!) { node(id: $id) { ... on Message { attachments { id } } } }',
      {
        id: conversation.messageIds[0],
      },
    );
    expect(message).toEqual({ node: { attachments: [{ id: ofMessage }] } });
    expect((await eventsOf()).slice(2).map(({ data }) => data.changedFields)).toEqual([
      ['attachments'],
      ['attachments'],
    ]);
  });

  it('of others do not exist, and those that are gone are refused', async () => {
    const other = await beginConversation(server);
    const attachmentIds = [
      await file(other.messageIds[0]),
      await file(undefined, 'alena', 'UPLOADED'),
      await file(conversation.messageIds[0], null, 'EXPIRED'),
    ];

    expect(told(await addFiles(boris, { attachmentIds }))).toEqual([
      'NOT_FOUND input attachmentIds 0',
      'NOT_FOUND input attachmentIds 1',
      'ATTACHMENT_REJECTED input attachmentIds 2',
    ]);
  });
});

describe('discussion', () => {
  it('is kept in order and page by page, and reaches neither WhatsApp nor the beacon', async () => {
    const before = server.sandbox.ledger().length;
    for (const body of ['první', '<script>druhý</script>', ' třetí\n']) await post(boris, { body });

    const one = await alena.request<Discussion>(DISCUSSION, { id: request.id, first: 2 });
    const { endCursor } = one.request.discussion.pageInfo;
    const two = await alena.request<Discussion>(DISCUSSION, { id: request.id, first: 2, after: endCursor });

    expect(one.request.discussion).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: true } });
    expect([...one.request.discussion.nodes, ...two.request.discussion.nodes].map(({ body }) => body)).toEqual([
      'první',
      '<script>druhý</script>',
      ' třetí\n',
    ]);
    await server.sandbox.settled();
    expect(server.sandbox.ledger()).toHaveLength(before);
    const [row] = await server.sql('SELECT beacon_on FROM conversation WHERE id = $1', [rowIdOf(conversation.id)]);
    expect(row).toEqual({ beacon_on: true });
  });

  it('takes one post for one key', async () => {
    const input = { body: 'jednou', idempotencyKey: 'post' };

    const answers = await Promise.all([1, 2, 3].map(() => post(boris, input)));
    const other = await post(boris, { ...input, body: 'jinak' });

    expect(new Set(answers.map((answer) => answer.post?.id)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(other.errors).toMatchObject([{ __typename: 'IdempotencyConflictError' }]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['nothing', { body: ' \n' }, 'REQUIRED input body'],
    ['too much', { body: 'x'.repeat(32_769) }, 'TOO_LONG input body'],
    ['what cannot be stored', { body: 'a\0' }, 'UNSTORABLE input body'],
    ['foreign files', { body: 'x', attachmentIds: ['x'] }, 'NOT_FOUND input attachmentIds 0'],
  ])('refuses %s', async (_what, wrong, expected) => {
    expect(told(await post(boris, wrong))).toEqual([expected]);
    expect(await eventsOf()).toHaveLength(2);
  });

  it('hides notes and internal requests from tokens that may not see them', async () => {
    const scopes = ['READ_CONVERSATIONS', 'READ_MESSAGE_BODIES', 'READ_REQUESTS', 'WRITE_REQUESTS'] as const;
    const outside = server.withToken(await scopedToken(server, [...scopes]));
    const inside = server.withToken(await scopedToken(server, [...scopes, 'READ_INTERNAL_NOTES']));
    const { post: note } = await post(boris, { kind: 'INTERNAL_NOTE', body: 'mezi námi' });
    await post(boris, { body: 'pro všechny' });

    const seenOutside = await outside.request<Discussion>(DISCUSSION, { id: request.id, first: 10 });
    const seenInside = await inside.request<Discussion>(DISCUSSION, { id: request.id, first: 10 });
    const node = await outside.request('query N($id: ID!) { node(id: $id) { id } }', { id: note?.id });
    const refused = await post(outside, { kind: 'INTERNAL_NOTE', body: 'x' });
    const written = await post(inside, { kind: 'INTERNAL_NOTE', body: 'z panelu' });

    expect(seenOutside.request.discussion).toMatchObject({ totalCount: 1, nodes: [{ body: 'pro všechny' }] });
    expect(seenInside.request.discussion).toMatchObject({ totalCount: 2 });
    expect(node).toEqual({ node: null });
    expect(refused.errors).toMatchObject([{ __typename: 'ForbiddenError' }]);
    expect(written.post).toMatchObject({ author: null, authorName: 'Test', body: 'z panelu' });
    expect((await eventsOf()).slice(2).map(({ data }) => data.internal)).toEqual([true, false, true]);

    await update(boris, { expectedVersion: 1, visibility: 'INTERNAL' });
    const ask = `query R($id: ID!, $code: String!, $conversation: ID!, $message: ID!) {
      byId: request(id: $id) { id } byCode: request(code: $code) { id } node(id: $id) { id }
      conversation(id: $conversation) { requests(first: 5) { totalCount nodes { id } } }
      message: node(id: $message) { ... on Message { requestLinks { code } } } }`;
    const variables = {
      id: request.id,
      code: request.code,
      conversation: conversation.id,
      message: conversation.messageIds[0],
    };
    expect(await outside.request(ask, variables)).toEqual({
      byId: null,
      byCode: null,
      node: null,
      conversation: { requests: { totalCount: 0, nodes: [] } },
      message: { requestLinks: [] },
    });
    expect(await inside.request(ask, variables)).toMatchObject({
      byId: { id: request.id },
      message: { requestLinks: [{ code: request.code }] },
    });
    expect(told(await addTags(outside, { tagIds: [choices.VIP] }))).toEqual(['NOT_FOUND input requestId']);
  });
});

describe('two operators at once', () => {
  it('lose no change without a StaleStateError', async () => {
    const edits = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        update(index % 2 ? alena : boris, { expectedVersion: 1, name: `Název ${index}` }),
      ),
    );
    const others = await Promise.all([
      addTags(alena, { tagIds: [choices.VIP] }),
      update(boris, { expectedVersion: 2, statusKey: 'waiting' }),
      post(alena, { body: 'od Aleny' }),
      addTags(boris, { tagIds: [choices.fakturace] }),
      update(alena, { expectedVersion: 2, description: 'od Aleny' }),
      post(boris, { body: 'od Borise' }),
    ]);

    const won = edits.filter(({ errors }) => errors.length === 0);
    expect(won).toHaveLength(1);
    expect(edits.filter(({ errors }) => errors[0]?.__typename === 'StaleStateError')).toHaveLength(11);
    const stale = others.filter(({ errors }) => errors[0]?.__typename === 'StaleStateError');
    expect(stale).toHaveLength(1);
    expect(others.filter(({ errors }) => errors.length === 0)).toHaveLength(5);
    const { request: after } = await update(alena, { expectedVersion: 3 });
    const wasStatus = others[1].errors.length === 0;
    expect(after).toMatchObject({
      version: 3,
      name: won[0]?.request?.name,
      tags: [{ name: 'VIP' }, { name: 'fakturace' }],
      status: { key: wasStatus ? 'waiting' : 'new' },
      description: wasStatus ? 'Popis' : 'od Aleny',
    });
    const { request: discussed } = await alena.request<Discussion>(DISCUSSION, { id: request.id, first: 10 });
    expect(discussed.discussion.nodes.map(({ body }) => body).toSorted()).toEqual(['od Aleny', 'od Borise']);
  });
});

describe('rights', () => {
  it('are needed for every change', async () => {
    const cyril = await server.as('cyril');
    const token = server.withToken(await scopedToken(server, ['READ_CONVERSATIONS', 'READ_REQUESTS']));

    for (const client of [cyril, token]) {
      const answers = [
        await update(client, { expectedVersion: 1 }),
        await addTags(client, { tagIds: [] }),
        await removeTags(client, { tagIds: [] }),
        await addFiles(client, { attachmentIds: [] }),
        await removeFiles(client, { attachmentIds: [] }),
        await post(client, { body: 'x' }),
      ];
      expect(answers.map(({ errors }) => errors.map(({ __typename }) => __typename))).toEqual(
        answers.map(() => ['ForbiddenError']),
      );
    }
  });

  it('mask names, texts and fields where bodies may not be read, and what stands in them is not found', async () => {
    await post(boris, { body: 'tajné' });
    const token = server.withToken(await scopedToken(server, ['READ_CONVERSATIONS', 'READ_REQUESTS']));
    const ask = `query R($id: ID!, $code: String!) {
      request(id: $id) { code name description customFields { value } attachments { id } discussion(first: 5) { nodes { body } } }
      byName: requests(first: 5, search: "vaza") { totalCount } byCode: requests(first: 5, search: $code) { totalCount } }`;

    const masked = await token.request(ask, { id: request.id, code: request.code });
    const open = await boris.request<{ byName: { totalCount: number } }>(ask, { id: request.id, code: request.code });

    expect(masked).toMatchObject({
      request: {
        code: request.code,
        name: null,
        description: null,
        attachments: [],
        discussion: { nodes: [{ body: null }] },
      },
      byName: { totalCount: 0 },
    });
    expect(masked).toHaveProperty('request.customFields.0.value', null);
    expect(masked).toHaveProperty('byCode.totalCount');
    expect(open.byName.totalCount).toBeGreaterThan(0);
  });
});
