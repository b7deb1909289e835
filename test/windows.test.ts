import type { GraphQLClient } from 'graphql-request';
import { expect, it } from 'vitest';
import { createTestDatabase } from './support/database.ts';
import { eventually } from './support/events.ts';
import { beginConversation, rowOf } from './support/sends.ts';
import { startTestServer, type TestServer } from './support/server.ts';

type Told = { events: { events: { __typename: string; state?: string; expiresAt?: string }[] } };

const EVENTS = `query Told($after: EventCursor!) { events(after: $after, types: [WINDOW_CHANGED]) {
  events { __typename ... on WindowChanged { state expiresAt conversationId } } } }`;

it('a window tells of its opening, its coming end and its end, once each, also across a restart', async () => {
  await using undo = new AsyncDisposableStack();
  const database = undo.use(await createTestDatabase());
  const before = await startTestServer({ databaseUrl: database.url });
  const boris = await before.as('boris');
  const { stream } = await boris.request<{ stream: { head: string } }>('{ stream { head } }');
  const statesAt = async (client: GraphQLClient) => {
    const { events } = await client.request<Told>(EVENTS, { after: stream.head });
    return events.events.map(({ state }) => state);
  };

  const begun = await beginConversation(before);
  await beginConversation(before, { from: begun.from, text: 'Ještě něco' });
  expect(await statesAt(boris)).toEqual(['OPEN']);
  await endIn(before, begun.conversationId, '30 minutes');
  await eventually(async () => (await statesAt(boris)).length === 2, 10_000);
  await before[Symbol.asyncDispose]();
  const after = undo.use(await startTestServer({ databaseUrl: database.url }));
  await endIn(after, begun.conversationId, '1 second');
  const again = await after.as('boris');
  await eventually(async () => (await statesAt(again)).length === 3, 10_000);

  expect(await statesAt(again)).toEqual(['OPEN', 'EXPIRING_SOON', 'CLOSED']);
  const { conversation } = await again.request<{
    conversation: { window: { state: string }; beacon: { on: boolean } };
  }>('query One($id: ID!) { conversation(id: $id) { window { state expiresAt serverTime } beacon { on } } }', {
    id: begun.conversationId,
  });
  expect(conversation).toMatchObject({ window: { state: 'CLOSED' }, beacon: { on: true } });
  await beginConversation(after, { from: begun.from, text: 'A jsem tu zas' });
  expect(await statesAt(again)).toEqual(['OPEN', 'EXPIRING_SOON', 'CLOSED', 'OPEN']);
});

async function endIn(server: TestServer, conversationId: string, interval: string): Promise<void> {
  await server.sql('UPDATE conversation SET window_expires_at = now() + $2::interval WHERE id = $1', [
    rowOf(conversationId),
    interval,
  ]);
}
