import { GraphQLClient } from 'graphql-request';
import { createClient } from 'graphql-ws';
import { describe, expect, it } from 'vitest';
import { subjectOf } from '../src/demo-data.ts';
import { loadEnv } from '../src/env.ts';
import { signIn } from '../src/sign-in.ts';
import { createTestDatabase, runSql } from './support/database.ts';
import { collect } from './support/events.ts';
import { keepPerTest } from './support/keep.ts';
import { batchOf, textMessage } from './support/payloads.ts';
import { sharedSettings, startServerProcess } from './support/process.ts';
import { createTestRedis } from './support/redis.ts';
import { number1, postSigned } from './support/server.ts';

const keep = keepPerTest();

const tokenOf = (login: string) =>
  signIn(loadEnv({ ...sharedSettings, DATA_DIR: '.cache' }), { subject: subjectOf(login), login });

const ADDED =
  'subscription Added($after: EventCursor) { messageAdded(after: $after) { eventId cursor message { preview } } }';
type Added = { messageAdded: { eventId: string; cursor: string; message: { preview: string } } };

function socketTo(url: string, token: string) {
  return createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
  });
}

describe('server processes', () => {
  it.each(['with Redis', 'without Redis'])(
    'share one database: a webhook to one reaches the subscriber of the other, %s',
    async (how) => {
      const database = keep(await createTestDatabase());
      const settings: Record<string, string> = { DATABASE_URL: database.url };
      if (how === 'with Redis') settings.REDIS_URL = (await createTestRedis()).url;
      const first = keep(await startServerProcess(settings));
      const second = keep(await startServerProcess(settings));
      const socket = socketTo(second.url, await tokenOf('boris'));
      const live = collect<Added>(socket, ADDED);

      const cursor = await new GraphQLClient(`${second.url}/graphql`, {
        headers: { authorization: `Bearer ${await tokenOf('boris')}` },
      }).request<{ stream: { head: string } }>('{ stream { head } }');
      const answer = await postSigned(
        first.url,
        JSON.stringify(batchOf(number1.phoneNumberId, [textMessage({ text: 'z jednoho do druhého' })])),
      );

      expect([answer.status, cursor.stream.head.length > 0]).toEqual([200, true]);
      const [added] = await live.take(1);
      expect(added?.messageAdded.message.preview).toBe('z jednoho do druhého');
      await socket.dispose();
    },
  );

  it('that are killed right after the 200 lose nothing: message, beacon and event are there after a restart', async () => {
    const database = keep(await createTestDatabase());
    const first = keep(await startServerProcess({ DATABASE_URL: database.url }));
    const token = await tokenOf('boris');
    const before = await new GraphQLClient(`${first.url}/graphql`, {
      headers: { authorization: `Bearer ${token}` },
    }).request<{ stream: { head: string } }>('{ stream { head } }');

    const answer = await postSigned(
      first.url,
      JSON.stringify(batchOf(number1.phoneNumberId, [textMessage({ text: 'těsně před pádem' })])),
    );
    first.process.kill('SIGKILL');
    await first.ended;
    const second = keep(await startServerProcess({ DATABASE_URL: database.url }));

    expect(answer.status).toBe(200);
    const client = new GraphQLClient(`${second.url}/graphql`, { headers: { authorization: `Bearer ${token}` } });
    const { conversations } = await client.request<{ conversations: unknown }>(
      '{ conversations(first: 1) { nodes { unreadCount beacon { on } lastMessage { preview } } } }',
    );
    expect(conversations).toEqual({
      nodes: [{ unreadCount: 1, beacon: { on: true }, lastMessage: { preview: 'těsně před pádem' } }],
    });
    const socket = socketTo(second.url, token);
    const [added] = await collect<Added>(socket, ADDED, { after: before.stream.head }).take(1);
    expect(added?.messageAdded.message.preview).toBe('těsně před pádem');
    await socket.dispose();
  });

  it('stop gracefully: sockets are sent elsewhere with 1001 and the process ends by itself', async () => {
    const database = keep(await createTestDatabase());
    const server = keep(await startServerProcess({ DATABASE_URL: database.url, SHUTDOWN_GRACE_MS: '1000' }));
    const socket = socketTo(server.url, await tokenOf('boris'));
    const closed = new Promise<unknown>((resolve) => socket.on('closed', resolve));
    const live = collect<{ events: { __typename: string } }>(socket, 'subscription { events { __typename } }');
    await live.take(1);

    server.process.kill('SIGTERM');

    expect(await closed).toMatchObject({ code: 1001 });
    expect(await server.ended).toBe(0);
    await socket.dispose();
  });

  it('send what another one had queued when it was killed', async () => {
    const database = keep(await createTestDatabase());
    const token = await tokenOf('boris');
    const first = keep(await startServerProcess({ DATABASE_URL: database.url, ROLE: 'api' }));
    await postSigned(first.url, JSON.stringify(batchOf(number1.phoneNumberId, [textMessage()])));
    const client = new GraphQLClient(`${first.url}/graphql`, { headers: { authorization: `Bearer ${token}` } });
    const { conversations } = await client.request<{ conversations: { nodes: { id: string }[] } }>(
      '{ conversations(first: 1) { nodes { id } } }',
    );
    await client.request(
      `mutation Reply($id: ID!) { replyToConversation(input: { conversationId: $id, text: "Odpověď", idempotencyKey: "k" }) { errors { message } } }`,
      { id: conversations.nodes[0]?.id },
    );
    first.process.kill('SIGKILL');
    await first.ended;

    const second = keep(await startServerProcess({ DATABASE_URL: database.url }));
    const socket = socketTo(second.url, token);
    const live = collect<{ messageStatusChanged: { status: string } }>(
      socket,
      'subscription Status($after: EventCursor) { messageStatusChanged(after: $after) { status } }',
      { after: await startOf(database.url) },
    );

    expect((await live.take(1)).map(({ messageStatusChanged }) => messageStatusChanged.status)).toEqual(['SENT']);
    await socket.dispose();
  });
});

/** The very first cursor of a database. */
async function startOf(url: string): Promise<string> {
  const [head] = (await runSql(url, 'SELECT epoch FROM stream_head')) as { epoch: string }[];
  return Buffer.from(`1.${head?.epoch}.0`).toString('base64url');
}
