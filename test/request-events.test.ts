import { afterAll, beforeAll, expect, it } from 'vitest';
import { collect } from './support/events.ts';
import { beginConversation, created } from './support/requests.ts';
import { scopedToken } from './support/scoped-token.ts';
import { startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});

afterAll(() => server[Symbol.asyncDispose]());

type Told = {
  events: { __typename: string; changedFields?: string[]; linked?: boolean; request?: { code: string } | null };
};

const EVENTS = `subscription { events(types: [REQUEST_CHANGED, REQUEST_LINK_CHANGED]) { __typename
  ... on RequestChanged { changedFields request { code } } ... on RequestLinkChanged { linked message { preview } } } }`;

it('tells of requests, their links and notes whoever may see them, and nobody else', async () => {
  const alena = await server.as('alena');
  const scopes = ['READ_EVENTS', 'READ_CONVERSATIONS'] as const;
  const sockets = [
    server.socket(await server.tokenOf('boris')),
    server.socket(await scopedToken(server, [...scopes, 'READ_REQUESTS'])),
    server.socket(await scopedToken(server, [...scopes])),
  ] as const;
  const [operator, outside, blind] = [
    collect<Told>(sockets[0], EVENTS),
    collect<Told>(sockets[1], EVENTS),
    collect<Told>(sockets[2], EVENTS),
  ];
  await Promise.all([operator, outside, blind].map((live) => live.take(1, 20_000)));

  const { id: conversationId } = await beginConversation(server);
  const request = await created(alena, { conversationId });
  const post = (kind: string) =>
    alena.request(
      'mutation P($input: AddDiscussionPostInput!) { addDiscussionPost(input: $input) { errors { code } } }',
      {
        input: { requestId: request.id, kind, body: 'x', idempotencyKey: kind },
      },
    );
  await post('INTERNAL_NOTE');
  await post('PUBLIC_POST');

  const seen = (told: Told[]) =>
    told
      .map(({ events }) => events)
      .filter(({ __typename }) => __typename !== 'StreamProgress')
      .map(({ __typename, changedFields, request }) => [__typename, changedFields?.[0], request?.code]);
  expect(seen(await operator.take(5, 20_000))).toEqual([
    ['RequestChanged', 'createdAt', request.code],
    ['RequestLinkChanged', undefined, undefined],
    ['RequestChanged', 'discussion', request.code],
    ['RequestChanged', 'discussion', request.code],
  ]);
  expect(seen(await outside.take(4, 20_000))).toEqual([
    ['RequestChanged', 'createdAt', request.code],
    ['RequestLinkChanged', undefined, undefined],
    ['RequestChanged', 'discussion', request.code],
  ]);
  expect(seen(blind.all)).toEqual([]);
  for (const socket of sockets) await socket.dispose();
}, 60_000);
