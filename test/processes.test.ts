import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { startCuttableDatabase } from './support/cuttable.ts';
import { createTestDatabase, runSql } from './support/database.ts';
import { collect, eventually } from './support/events.ts';
import { keepPerTest } from './support/keep.ts';
import { batchOf, textMessage } from './support/payloads.ts';
import { startServerProcess } from './support/process.ts';
import { createTestRedis } from './support/redis.ts';
import { number1, postSigned } from './support/server.ts';
import { clientOf, socketOf, tokenFor } from './support/sign-in.ts';

const keep = keepPerTest();

type Head = { stream: { head: string } };

const ADDED =
  'subscription Added($after: EventCursor) { messageAdded(after: $after) { eventId cursor message { preview } } }';
type Added = { messageAdded: { eventId: string; cursor: string; message: { preview: string } } };

const STATUS = 'subscription Status($after: EventCursor) { messageStatusChanged(after: $after) { status } }';

const REPLY = `mutation Reply($id: ID!) {
  replyToConversation(input: { conversationId: $id, text: "Odpověď", idempotencyKey: "k" }) { errors { message } } }`;

describe('server processes', () => {
  it.each(['with Redis', 'without Redis'])(
    'share one database: a webhook to one reaches the subscriber of the other, who is sent elsewhere at its end, %s',
    async (how) => {
      const database = keep(await createTestDatabase());
      const settings: Record<string, string> = { DATABASE_URL: database.url, SHUTDOWN_GRACE_MS: '1000' };
      if (how === 'with Redis') settings.REDIS_URL = (await createTestRedis()).url;
      const [first, second] = await Promise.all([
        startServerProcess(settings).then(keep),
        startServerProcess(settings).then(keep),
      ]);
      const socket = socketOf(second.url, await tokenFor('boris'));
      const closed = new Promise<unknown>((resolve) => socket.on('closed', resolve));
      const live = collect<Added>(socket, ADDED);

      const cursor = await clientOf(second.url, await tokenFor('boris')).request<Head>('{ stream { head } }');
      const answer = await customerWrites(first.url, 'z jednoho do druhého');

      expect([answer.status, cursor.stream.head.length > 0]).toEqual([200, true]);
      const [added] = await live.take(1);
      expect(added?.messageAdded.message.preview).toBe('z jednoho do druhého');

      second.process.kill('SIGTERM');

      expect(await closed).toMatchObject({ code: 1001 });
      expect(await second.ended).toBe(0);
      await socket.dispose();
    },
  );

  it('end with code 1 and a sentence when the job worker gives up for good', async () => {
    const database = keep(await createTestDatabase());
    const process = keep(await startServerProcess({ DATABASE_URL: database.url }));

    // What the library tells its older self when it migrates its tables.
    await runSql(database.url, `SELECT pg_notify('worker:migrate', '{"breaking":true,"migrationNumber":99}')`);

    expect(await process.ended).toBe(1);
    expect(process.output()).toMatch(
      /^The job worker gave up, and nothing would be sent any more: start this process anew/m,
    );
  });

  it('end in time while the database is away, in the midst of an event', async () => {
    const database = keep(await createTestDatabase());
    const way = keep(await startCuttableDatabase(database.url));
    const process = keep(await startServerProcess({ DATABASE_URL: way.url, SHUTDOWN_GRACE_MS: '1000' }));
    const token = await tokenFor('boris');
    const before = await clientOf(process.url, token).request<Head>('{ stream { head } }');
    await customerWrites(process.url, 'těsně před koncem');
    const blocker = new pg.Client({ connectionString: database.url });
    keep({ [Symbol.asyncDispose]: () => blocker.end() });
    await blocker.connect();
    await blocker.query('BEGIN; LOCK TABLE message');
    const socket = socketOf(process.url, token);
    collect<Added>(socket, ADDED, { after: before.stream.head });
    await eventually(async () => (await lockWaits(database.url)) > 0);

    way.cut();
    await pause(1_500);
    process.process.kill('SIGTERM');

    expect(await Promise.race([process.ended, pause(20_000, 'too late')])).toBe(0);
    await socket.dispose();
  });

  it('that are killed right after the 200 lose nothing: message, beacon, event and reply are there after a restart', async () => {
    const database = keep(await createTestDatabase());
    const token = await tokenFor('boris');
    const first = keep(await startServerProcess({ DATABASE_URL: database.url, ROLE: 'api' }));
    const client = clientOf(first.url, token);
    await customerWrites(first.url, 'dotaz');
    const before = await client.request<Head & { conversations: { nodes: { id: string }[] } }>(
      '{ stream { head } conversations(first: 1) { nodes { id } } }',
    );
    await client.request(REPLY, { id: before.conversations.nodes[0]?.id });

    const answer = await customerWrites(first.url, 'těsně před pádem');
    first.process.kill('SIGKILL');
    await first.ended;
    const second = keep(await startServerProcess({ DATABASE_URL: database.url }));

    expect(answer.status).toBe(200);
    const { conversations } = await clientOf(second.url, token).request<{ conversations: unknown }>(
      '{ conversations(first: 1) { nodes { unreadCount beacon { on } lastMessage { preview } } } }',
    );
    expect(conversations).toEqual({
      nodes: [{ unreadCount: 1, beacon: { on: true }, lastMessage: { preview: 'těsně před pádem' } }],
    });
    const socket = socketOf(second.url, token);
    const after = before.stream.head;
    const added = await collect<Added>(socket, ADDED, { after }).take(2);
    expect(added.map(({ messageAdded }) => messageAdded.message.preview)).toEqual(['Odpověď', 'těsně před pádem']);
    const told = await collect<{ messageStatusChanged: { status: string } }>(socket, STATUS, { after }).take(1);
    expect(told).toEqual([{ messageStatusChanged: { status: 'SENT' } }]);
    await socket.dispose();
  });
});

function customerWrites(url: string, text: string): Promise<Response> {
  return postSigned(url, JSON.stringify(batchOf(number1.phoneNumberId, [textMessage({ text })])));
}

async function lockWaits(databaseUrl: string): Promise<number> {
  const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  return (await runSql(databaseUrl, waiting)).length;
}
