import { gql, type GraphQLClient } from 'graphql-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rowIdOf } from './support/ids.ts';
import { beginConversation, create, created, ERRORS, type Payload } from './support/requests.ts';
import { scopedToken } from './support/scoped-token.ts';
import { startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;
let alena: GraphQLClient;

beforeAll(async () => {
  server = await startTestServer();
  alena = await server.as('alena');
});

afterAll(() => server[Symbol.asyncDispose]());

type Link = { code: string; role: string; linkedBy: { login: string } | null };
type Changed = { message: { requestLinks: Link[] } | null; errors: Payload['errors'] };

async function change(
  name: 'linkMessageToRequest' | 'unlinkMessageFromRequest',
  messageId: string | undefined,
  requestId: string | undefined,
  client = alena,
): Promise<Changed> {
  const mutation = gql`
    mutation Change($input: MessageRequestInput!) {
      ${name}(input: $input) {
        message { requestLinks { code role linkedBy { login } } }
        ${ERRORS}
      }
    }
  `;
  const answer = await client.request<Record<string, Changed>>(mutation, { input: { messageId, requestId } });
  const changed = answer[name];
  if (!changed) throw new Error('the mutation answered nothing');
  return changed;
}

const link = (messageId?: string, requestId?: string, client?: GraphQLClient) =>
  change('linkMessageToRequest', messageId, requestId, client);
const unlink = (messageId?: string, requestId?: string, client?: GraphQLClient) =>
  change('unlinkMessageFromRequest', messageId, requestId, client);

const told = ({ errors }: Changed) => errors.map(({ code, rule, path }) => [rule ?? code, ...(path ?? [])].join(' '));

const linkEvents = (requestId: string) =>
  server.sql(
    `SELECT data ->> 'linked' AS linked, message_id FROM event
     WHERE type = 'REQUEST_LINK_CHANGED' AND request_id = $1 ORDER BY seq`,
    [rowIdOf(requestId)],
  );

describe('a message and its requests', () => {
  it('are linked once however often it is asked, to several requests, and shown both ways', async () => {
    const { id: conversationId, messageIds } = await beginConversation(server, ['a', 'b', 'c']);
    const [first, second] = [await created(alena, { conversationId }), await created(alena, { conversationId })];

    const answers = await Promise.all([1, 2, 3].map(() => link(messageIds[0], first.id)));
    const both = await link(messageIds[0], second.id);

    expect(answers.map(({ errors }) => errors)).toEqual([[], [], []]);
    expect(both.message?.requestLinks).toEqual([
      { code: first.code, role: 'LINKED', linkedBy: { login: 'alena' } },
      { code: second.code, role: 'LINKED', linkedBy: { login: 'alena' } },
    ]);
    expect(await linkEvents(first.id)).toEqual([
      { linked: 'true', message_id: rowIdOf(messageIds[2]) },
      { linked: 'true', message_id: rowIdOf(messageIds[0]) },
    ]);
    const history = await alena.request(
      `query H($conversation: ID!, $request: ID!) {
        conversation(id: $conversation) { messages(first: 10, linkedToRequest: $request) { totalCount nodes { id } } }
        request(id: $request) { version linkedMessages(last: 1) { totalCount pageInfo { hasPreviousPage } nodes { id } } } }`,
      { conversation: conversationId, request: first.id },
    );
    expect(history).toEqual({
      conversation: { messages: { totalCount: 2, nodes: [{ id: messageIds[0] }, { id: messageIds[2] }] } },
      request: {
        version: 1,
        linkedMessages: { totalCount: 2, pageInfo: { hasPreviousPage: true }, nodes: [{ id: messageIds[2] }] },
      },
    });
  });

  it('are parted once, but the source stays, also when the request is closed', async () => {
    const { id: conversationId, messageIds } = await beginConversation(server, ['a', 'b']);
    const request = await created(alena, { conversationId });
    await link(messageIds[0], request.id);
    await server.sql(`UPDATE request SET status_key = 'closed' WHERE id = $1`, [rowIdOf(request.id)]);

    const source = await unlink(messageIds[1], request.id);
    const parted = await Promise.all([unlink(messageIds[0], request.id), unlink(messageIds[0], request.id)]);

    expect(source.message).toBeNull();
    expect(told(source)).toEqual(['SOURCE_LINK input messageId']);
    expect(parted.map(({ message, errors }) => [message?.requestLinks, errors])).toEqual([
      [[], []],
      [[], []],
    ]);
    expect(await linkEvents(request.id)).toHaveLength(3);
  });

  it('must be of one conversation, and neither may be deleted', async () => {
    const one = await beginConversation(server, ['a', 'taken back']);
    const other = await beginConversation(server);
    const request = await created(alena, { conversationId: one.id, sourceMessageId: one.messageIds[0] });
    const foreign = await created(alena, { conversationId: other.id });
    const gone = await created(alena, { conversationId: one.id });
    await server.sql('UPDATE request SET deleted_at = now() WHERE id = $1', [rowIdOf(gone.id)]);
    await server.sql('UPDATE message SET withdrawn_at = now() WHERE id = $1', [rowIdOf(one.messageIds[1])]);

    expect(told(await link(one.messageIds[0], foreign.id))).toEqual(['NOT_FOUND input messageId']);
    expect(told(await unlink(other.messageIds[0], request.id))).toEqual(['NOT_FOUND input messageId']);
    expect(told(await link(one.messageIds[0], gone.id))).toEqual(['NOT_FOUND input requestId']);
    expect(told(await link(one.messageIds[1], request.id))).toEqual(['DELETED input messageId']);
    expect(told(await link(request.id, request.id))).toEqual(['NOT_FOUND input messageId']);
    expect(told(await link('x', 'y'))).toEqual(['NOT_FOUND input requestId']);
  });

  it('are linked by those who may edit, and hidden from those who may not see requests', async () => {
    const { id: conversationId, messageIds } = await beginConversation(server, ['a', 'b']);
    const request = await created(alena, { conversationId });
    const reader = server.withToken(await scopedToken(server, ['READ_CONVERSATIONS', 'READ_REQUESTS']));
    const blind = server.withToken(await scopedToken(server, ['READ_CONVERSATIONS']));
    const writer = server.withToken(
      await scopedToken(server, ['READ_CONVERSATIONS', 'READ_REQUESTS', 'WRITE_REQUESTS']),
    );

    const refused = [
      await link(messageIds[0], request.id, await server.as('cyril')),
      await link(messageIds[0], request.id, reader),
    ];
    const linked = await link(messageIds[0], request.id, writer);
    const unseen = await blind.request(
      `query S($id: ID!) { conversation(id: $id) { requests(first: 5) { totalCount nodes { id } } messages(first: 5) { nodes { requestLinks { code } } } } }`,
      { id: conversationId },
    );

    expect(refused.map(({ errors }) => errors[0]?.__typename)).toEqual(['ForbiddenError', 'ForbiddenError']);
    expect(linked.message?.requestLinks).toEqual([{ code: request.code, role: 'LINKED', linkedBy: null }]);
    expect(unseen).toEqual({
      conversation: {
        requests: { totalCount: 0, nodes: [] },
        messages: { nodes: [{ requestLinks: [] }, { requestLinks: [] }] },
      },
    });
  });

  it('of a hidden request are no way to find its messages', async () => {
    const { id: conversationId } = await beginConversation(server);
    const request = await created(alena, { conversationId });
    await server.sql(`UPDATE request SET visibility = 'INTERNAL' WHERE id = $1`, [rowIdOf(request.id)]);
    const outside = server.withToken(await scopedToken(server, ['READ_CONVERSATIONS', 'READ_REQUESTS']));
    const ask = `query M($id: ID!, $request: ID!) { conversation(id: $id) { messages(first: 5, linkedToRequest: $request) { totalCount } } }`;
    const variables = { id: conversationId, request: request.id };

    expect(await outside.request(ask, variables)).toEqual({ conversation: { messages: { totalCount: 0 } } });
    expect(await alena.request(ask, variables)).toEqual({ conversation: { messages: { totalCount: 1 } } });
  });

  it('are undone by a refused creation, whole', async () => {
    const { id: conversationId, messageIds } = await beginConversation(server);

    await create(alena, { conversationId, name: '' });

    expect(
      await server.sql('SELECT 1 FROM message_request_link WHERE message_id = $1', [rowIdOf(messageIds[0])]),
    ).toEqual([]);
  });
});

describe('what is offered for a message', () => {
  const OFFERED = 'query O($id: ID!) { node(id: $id) { ... on Message { availableActions } } }';

  async function offered(messageId: string | undefined, client = alena): Promise<string[]> {
    const { node } = await client.request<{ node: { availableActions: string[] } }>(OFFERED, { id: messageId });
    return node.availableActions.filter((action) => action.includes('REQUEST'));
  }

  it('can be done, and nothing else can', async () => {
    const { id: conversationId, messageIds } = await beginConversation(server, ['source', 'linked', 'free', 'gone']);
    const alone = await beginConversation(server);
    const [source, linked, free, gone] = messageIds;
    await server.sql('UPDATE message SET withdrawn_at = now() WHERE id = $1', [rowIdOf(gone)]);
    const request = await created(alena, { conversationId, sourceMessageId: source });
    await link(linked, request.id);
    const isDone = ({ errors }: { errors: unknown[] }) => errors.length === 0;
    const done = async (messageId: string | undefined, place = conversationId) => {
      const before = await offered(messageId);
      const [row] = await server.sql<{ role: string | null }>(
        'SELECT (SELECT role FROM message_request_link WHERE message_id = $1 LIMIT 1) AS role',
        [rowIdOf(messageId)],
      );
      const parted = isDone(await unlink(messageId, request.id));
      const did: Record<string, boolean> = {
        CREATE_REQUEST: isDone(await create(alena, { conversationId: place, sourceMessageId: messageId })),
        LINK_TO_REQUEST: isDone(await link(messageId, request.id)),
        // Parting what is not linked is no mistake, although it is not offered.
        UNLINK_FROM_REQUEST: parted && row?.role === 'LINKED',
      };
      return [before, Object.keys(did).filter((action) => did[action])];
    };

    for (const message of [source, linked, free, gone]) {
      const [before, after] = await done(message);
      expect(after).toEqual(before);
    }
    expect(await done(alone.messageIds[0], alone.id)).toEqual([['CREATE_REQUEST'], ['CREATE_REQUEST']]);
  });

  it('is as the rights are', async () => {
    const { id: conversationId, messageIds } = await beginConversation(server, ['a', 'b']);
    const request = await created(alena, { conversationId });
    await link(messageIds[0], request.id);
    const token = async (...scopes: Parameters<typeof scopedToken>[1]) =>
      server.withToken(await scopedToken(server, ['READ_CONVERSATIONS', ...scopes]));

    expect(await offered(messageIds[0])).toEqual(['CREATE_REQUEST', 'LINK_TO_REQUEST', 'UNLINK_FROM_REQUEST']);
    expect(await offered(messageIds[0], await server.as('cyril'))).toEqual([]);
    expect(await offered(messageIds[0], await token('READ_REQUESTS'))).toEqual([]);
    expect(await offered(messageIds[0], await token('WRITE_REQUESTS'))).toEqual(['CREATE_REQUEST']);
    expect(await offered(messageIds[0], await token('READ_REQUESTS', 'WRITE_REQUESTS'))).toEqual([
      'CREATE_REQUEST',
      'LINK_TO_REQUEST',
      'UNLINK_FROM_REQUEST',
    ]);
  });
});
