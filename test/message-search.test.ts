import { ClientError, gql, type GraphQLClient } from 'graphql-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rowIdOf } from './support/ids.ts';
import { beginConversation, created } from './support/requests.ts';
import { scopedToken } from './support/scoped-token.ts';
import { startTestServer, type TestServer } from './support/server.ts';

/** Searching inside one conversation, and its messages that are filed under a request. */

const MESSAGES = gql`
  query Messages($id: ID!, $last: Int, $first: Int, $after: String, $search: String, $linkedToRequest: ID) {
    conversation(id: $id) {
      messages(last: $last, first: $first, after: $after, search: $search, linkedToRequest: $linkedToRequest) {
        totalCount
        pageInfo {
          hasNextPage
          endCursor
        }
        nodes {
          preview
        }
      }
    }
  }
`;

type Answer = {
  conversation: {
    messages: {
      totalCount: number;
      pageInfo: { hasNextPage: boolean; endCursor: string };
      nodes: { preview: string | null }[];
    };
  };
};

const texts = ['Dobrý den', 'Kde je ZÁSILKA?', 'zásilka přišla rozbitá', '100% sleva_dnes', 'Привет, где посылка'];

let server: TestServer;
let alena: GraphQLClient;
let conversation: { id: string; messageIds: string[] };
let request: { id: string };
let elsewhere: { id: string; messageIds: string[] };

beforeAll(async () => {
  server = await startTestServer({ settings: { ROLE: 'api' } });
  alena = await server.as('alena');
  elsewhere = await beginConversation(server, ['zásilka jiného zákazníka']);
  conversation = await beginConversation(server, texts);
  request = await created(alena, { conversationId: conversation.id, sourceMessageId: conversation.messageIds[2] });
  await alena.request(
    'mutation ($input: MessageRequestInput!) { linkMessageToRequest(input: $input) { errors { message } } }',
    { input: { messageId: conversation.messageIds[1], requestId: request.id } },
  );
});

afterAll(() => server[Symbol.asyncDispose]());

async function found(variables: object, client = alena, id = conversation.id): Promise<(string | null)[]> {
  const answer = await client.request<Answer>(MESSAGES, { id, last: 50, ...variables });
  const { nodes, totalCount } = answer.conversation.messages;
  expect(totalCount).toBe(nodes.length);
  return nodes.map(({ preview }) => preview);
}

async function refusal(variables: object, client = alena): Promise<unknown> {
  const error = await client
    .request(MESSAGES, { id: conversation.id, last: 5, ...variables })
    .catch((thrown: unknown) => thrown);
  if (!(error instanceof ClientError)) throw new Error('it was not refused');
  const { code, argument } = error.response.errors?.[0]?.extensions ?? {};
  return { code, argument };
}

describe('messages(search)', () => {
  it.each([
    ['zasilka', [1, 2]],
    ['ZÁSILKA rozbita', [2]],
    ['silk', [1, 2]],
    ['100%', [3]],
    ['sleva_', [3]],
    ['s%a', []],
    ['посылка', [4]],
    ['nikde', []],
    ['  ', [0, 1, 2, 3, 4]],
    [`' OR 1=1 --`, []],
  ])('%j finds the messages %j', async (search, expected) => {
    expect(await found({ search })).toEqual(expected.map((index) => texts[index]));
  });

  it('pages through what it finds', async () => {
    const first = await alena.request<Answer>(MESSAGES, { id: conversation.id, first: 1, search: 'zasilka' });
    const { pageInfo, nodes, totalCount } = first.conversation.messages;
    const after = { id: conversation.id, first: 1, search: 'zasilka', after: pageInfo.endCursor };
    const second = (await alena.request<Answer>(MESSAGES, after)).conversation.messages;

    expect([nodes, second.nodes].flat().map(({ preview }) => preview)).toEqual([texts[1], texts[2]]);
    expect([pageInfo.hasNextPage, second.pageInfo.hasNextPage, totalCount]).toEqual([true, false, 2]);
  });

  it('is refused without READ_MESSAGE_BODIES and beyond its length, with the argument named', async () => {
    const blind = server.withToken(await scopedToken(server, ['READ_CONVERSATIONS']));

    expect(await refusal({ search: 'zasilka' }, blind)).toEqual({ code: 'FORBIDDEN', argument: 'search' });
    expect(await refusal({ search: 'x'.repeat(201) })).toEqual({ code: 'BAD_USER_INPUT', argument: 'search' });
  });
});

describe('messages(linkedToRequest)', () => {
  it('are those that the request was filed from, also together with a search', async () => {
    expect(await found({ linkedToRequest: request.id })).toEqual([texts[1], texts[2]]);
    expect(await found({ linkedToRequest: request.id, search: 'rozbita' })).toEqual([texts[2]]);
  });

  it('are none in a conversation from which nothing was filed under it', async () => {
    expect(await found({ linkedToRequest: request.id }, alena, elsewhere.id)).toEqual([]);
  });

  it('are none where the request does not exist, or may not be seen', async () => {
    const nothing = btoa('Request:00000000-0000-7000-8000-000000000000');
    const internal = await created(alena, {
      conversationId: conversation.id,
      sourceMessageId: conversation.messageIds[0],
    });
    await server.sql(`UPDATE request SET visibility = 'INTERNAL' WHERE id = $1`, [rowIdOf(internal.id)]);
    const token = await scopedToken(server, ['READ_CONVERSATIONS', 'READ_MESSAGE_BODIES', 'READ_REQUESTS']);

    expect(await found({ linkedToRequest: nothing })).toEqual([]);
    expect(await found({ linkedToRequest: internal.id })).toEqual([texts[0]]);
    expect(await found({ linkedToRequest: internal.id }, server.withToken(token))).toEqual([]);
  });

  it('are refused without READ_REQUESTS, and to an id of another type, with the argument named', async () => {
    const token = server.withToken(await scopedToken(server, ['READ_CONVERSATIONS', 'READ_MESSAGE_BODIES']));

    expect(await refusal({ linkedToRequest: request.id }, token)).toEqual({
      code: 'FORBIDDEN',
      argument: 'linkedToRequest',
    });
    expect(await refusal({ linkedToRequest: conversation.id })).toEqual({
      code: 'BAD_USER_INPUT',
      argument: 'linkedToRequest',
    });
  });
});
