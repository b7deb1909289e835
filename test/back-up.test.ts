import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Sandbox } from '../src/sandbox/options.ts';
import { backUp, type BackUp } from './support/back-up.ts';
import { createTestDatabase, type TestDatabase } from './support/database.ts';
import { collect, eventually } from './support/events.ts';
import { settingsOf, startMeta } from './support/meta.ts';
import { globalOf, messageOf, send } from './support/sends.ts';
import { number1, startTestServer, type TestServer } from './support/server.ts';

/*
 * A back-up is made while a reply waits. Afterwards the reply is sent and more happens, which a client hears of and
 * saves its cursor. Then all of that is lost, and the back-up takes its place.
 */
let parts: AsyncDisposableStack;
let database: TestDatabase;
let meta: Sandbox;
let kept: BackUp;
let webhookUrl = '';
let replyId: string;
/** Of after the back-up. */
let lostCursor: string;

beforeEach(async () => {
  parts = new AsyncDisposableStack();
  database = parts.use(await createTestDatabase());
  meta = parts.use(await startMeta(() => webhookUrl));
  replyId = await during('api', async (server) => {
    await write('before');
    const [conversation] = await server.sql<{ id: string }>('SELECT id FROM conversation');
    const conversationId = globalOf('Conversation', conversation?.id ?? '');
    const sent = await send(await server.as('alena'), 'replyToConversation', { conversationId, text: 'It waits' });
    return sent.message?.id ?? '';
  });
  kept = parts.use(await backUp(database.url));
  lostCursor = await during('all', async (server) => {
    await write('after the back-up');
    await eventually(async () => (await messageOf(await server.as('boris'), replyId)).status === 'READ');
    return headOf(server);
  });
  await kept.restore();
});

afterEach(() => parts.disposeAsync());

it('without the command a cursor of after the back-up goes on over what was lost, and a reply is sent twice', async () => {
  await during('all', async (server) => {
    await eventually(async () => meta.ledger({ kind: 'message' }).length === 2);
    // Other events take the numbers of those that are lost.
    for (let n = 0; n < 10; n++) await write(`instead ${n}`);
    const heard = follow(server, lostCursor);

    expect(await heard.take(1)).toHaveLength(1);
    expect(heard.errors.flat()).toEqual([]);
  });
});

it('the command says why it does nothing: a process that runs, or no database', async () => {
  const run = (url: string, ...flags: string[]) =>
    promisify(execFile)(process.execPath, ['scripts/epoch.ts', ...flags], {
      env: { ...process.env, DATABASE_URL: url, NODE_ENV: 'test' },
    });
  await during('api', async () => {
    await expect(run(database.url)).rejects.toMatchObject({
      stderr: expect.stringMatching(/^Others hold \d+ connections .+\n$/),
    });
    expect((await run(database.url, '--force')).stdout).toContain('has ended');
  });
  await expect(run('postgres://chats:hunter2@127.0.0.1:1/chats')).rejects.toMatchObject({
    stderr: expect.stringMatching(/^The database chats at 127\.0\.0\.1:1 cannot be reached .+ check DATABASE_URL\.\n$/),
  });
});

it('after the command it is refused, a new one counts, and what waited is left to Meta and operators', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['scripts/epoch.ts'], {
    env: { ...process.env, DATABASE_URL: database.url, NODE_ENV: 'test' },
  });
  expect(stdout).toContain('since the back-up: 1.');
  await during('all', async (server) => {
    for (let n = 0; n < 10; n++) await write(`instead ${n}`);
    const late = follow(server, lostCursor);
    await late.ended;
    expect(late.all).toEqual([]);
    expect(late.errors.flat()).toMatchObject([{ extensions: { code: 'CURSOR_EXPIRED', reason: 'EPOCH_CHANGED' } }]);

    const anew = follow(server, await headOf(server));
    await write('and on');
    expect(await anew.take(1)).toHaveLength(1);

    const boris = await server.as('boris');
    const reply = await eventually(async () => {
      const message = await messageOf(boris, replyId);
      return message.failure ? message : null;
    });
    expect(reply).toMatchObject({ status: 'PENDING', failure: { outcomeUnknown: true } });
    expect(reply.availableActions).toContain('RETRY');
    expect(meta.ledger({ kind: 'message' })).toHaveLength(1);
  });
});

/** What a server does while it lives; it is gone afterwards. */
async function during<T>(role: 'api' | 'all', work: (server: TestServer) => Promise<T>): Promise<T> {
  const settings = { ...settingsOf(meta), ROLE: role, UNKNOWN_OUTCOME_WAIT_SECONDS: '1' };
  await using server = await startTestServer({ databaseUrl: database.url, settings, meta });
  webhookUrl = `${server.url}/webhooks/whatsapp`;
  return await work(server);
}

async function write(text: string): Promise<void> {
  const { httpStatus } = await meta.customerWrites({
    phoneNumberId: number1.phoneNumberId,
    from: '+420601222333',
    text,
  });
  expect(httpStatus).toBe(200);
}

function follow(server: TestServer, after: string) {
  const query = 'subscription ($after: EventCursor) { messageAdded(after: $after) { cursor } }';
  return collect(server.socket(server.dashboardToken), query, { after });
}

async function headOf(server: TestServer): Promise<string> {
  const { stream } = await (await server.as('alena')).request<{ stream: { head: string } }>('{ stream { head } }');
  return stream.head;
}
