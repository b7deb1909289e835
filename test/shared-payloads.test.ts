import type { Client } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appendEvents, makeToken } from './support/event-log.ts';
import { collect } from './support/events.ts';
import { beginConversation, created } from './support/requests.ts';
import { startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;
const sockets: Client[] = [];

beforeAll(async () => {
  server = await startTestServer();
});

afterAll(async () => {
  for (const socket of sockets) await socket.dispose();
  await server[Symbol.asyncDispose]();
});

function socketOf(token: string): Client {
  const socket = server.socket(token);
  sockets.push(socket);
  return socket;
}

const LINKS = `subscription {
  events(types: [MESSAGE_UPDATED]) { __typename ... on MessageUpdated { message { requestLinks { request { visibility } } } } } }`;
type Links = { events: { message: { requestLinks: { request: { visibility: string } }[] } } };

describe('one event for viewers with different rights', () => {
  it('shows each the requests that they may see, whoever subscribed first', async () => {
    const alena = await server.as('alena');
    const { id: conversationId, messageIds } = await beginConversation(server);
    const [sourceMessageId = ''] = messageIds;
    const messageId = Buffer.from(sourceMessageId, 'base64').toString().slice('Message:'.length);
    await created(alena, { conversationId, sourceMessageId, name: 'Interní' });
    await server.sql("UPDATE request SET visibility = 'INTERNAL'");
    await created(alena, { conversationId, sourceMessageId, name: 'Běžný' });
    const scopes = ['READ_EVENTS', 'READ_CONVERSATIONS', 'READ_REQUESTS'];
    const narrow = (await makeToken(server, scopes)).secret;
    const wide = (await makeToken(server, [...scopes, 'READ_INTERNAL_NOTES'])).secret;
    const followers = [];
    for (const token of [wide, narrow, wide, await server.tokenOf('boris')]) {
      const follower = collect<Links>(socketOf(token), LINKS);
      await follower.take(1);
      followers.push(follower);
    }

    await appendEvents(server, { type: 'MESSAGE_UPDATED', messageId });

    const told = await Promise.all(followers.map((follower) => follower.take(2)));
    const seen = told.map(([, update]) => update?.events.message.requestLinks.map(({ request }) => request.visibility));
    const both = ['INTERNAL', 'REGULAR'];
    expect(seen).toEqual([both, ['REGULAR'], both, both]);
  });
});
