import type { GraphQLClient } from 'graphql-request';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseMetaError } from '../src/meta/error.ts';
import { beginConversation, messageOf, reached, rowOf, send, type Begun } from './support/sends.ts';
import { eventually } from './support/events.ts';
import { fixture, fixtureNames } from './support/fixtures.ts';
import { number1, number2, startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;
let boris: GraphQLClient;

beforeAll(async () => {
  server = await startTestServer();
  boris = await server.as('boris');
});
afterAll(() => server[Symbol.asyncDispose]());
afterEach(async () => {
  server.sandbox.clearFaults();
  await server.sql('UPDATE channel_problem SET cleared_at = now() WHERE cleared_at IS NULL');
  await server.sql('UPDATE send_budget SET paused_until = NULL');
});

/** What the table of errors says about a code: the message's fate, and who waits. */
const expected: Readonly<Record<string, { fate: 'later' | 'failed' | 'stopped' | 'closed'; waits?: string }>> = {
  '1': { fate: 'later', waits: 'message' },
  '100': { fate: 'failed' },
  '100/33': { fate: 'stopped', waits: 'number' },
  '130429': { fate: 'later', waits: 'number' },
  '131009': { fate: 'failed' },
  '131030': { fate: 'failed' },
  '131047': { fate: 'closed' },
  '131053': { fate: 'failed' },
  '131056': { fate: 'later', waits: 'recipient' },
  '138006': { fate: 'stopped', waits: 'account' },
  '190': { fate: 'stopped', waits: 'account' },
  '200': { fate: 'stopped', waits: 'account' },
  '368': { fate: 'stopped', waits: 'account' },
  '4': { fate: 'later', waits: 'app' },
  '400': { fate: 'failed' },
  '613': { fate: 'later', waits: 'app' },
  '136024': { fate: 'failed' },
  '136025': { fate: 'failed' },
};

const cases = fixtureNames('graph-api/errors').flatMap((name) => {
  const error = parseMetaError(fixture(`graph-api/errors/${name}`));
  return error ? [{ name, error, key: error.subcode === 33 ? `${error.code}/33` : String(error.code) }] : [];
});

const withFate = (...fates: string[]) =>
  cases
    .filter(({ key }) => fates.includes(expected[key]?.fate ?? ''))
    .map((one) => [`${one.name} (${expected[one.key]?.waits ?? 'nobody'} waits)`, one] as const);

describe('an answer of Meta', () => {
  it('is looked for in the table under every code that is known here', () => {
    expect(cases.filter(({ key }) => !(key in expected)).map(({ name }) => name)).toEqual([]);
    expect(cases.length).toBeGreaterThan(30);
  });

  it.each(withFate('failed'))('%s fails the message with its code', async (_name, one) => {
    const { begun, id } = await sendInto(one);

    expect(await reached(boris, id, 'FAILED')).toMatchObject({
      failure: { code: one.error.code, outcomeUnknown: false },
    });
    expect(server.sandbox.ledger({ to: begun.from })).toEqual([]);
  });

  it.each(withFate('closed'))('%s fails the message and closes the window', async (_name, one) => {
    const { begun, id } = await sendInto(one);

    await reached(boris, id, 'FAILED');
    const again = await send(boris, 'replyToConversation', { conversationId: begun.conversationId, text: 'x' });
    expect(again.errors).toMatchObject([{ code: 'WINDOW_CLOSED', window: { state: 'CLOSED' } }]);
  });

  it.each(withFate('later', 'stopped'))('%s: the message waits and is sent afterwards', async (_name, one) => {
    const { begun, id } = await sendInto(one);

    const waiting = await eventually(() => whoWaits(begun, id), 10_000);
    expect(waiting).toEqual([expected[one.key]?.fate, expected[one.key]?.waits]);
    expect((await messageOf(boris, id)).status).toBe('PENDING');
    await endWaiting(begun, id);
    await reached(boris, id, 'SENT', 'DELIVERED', 'READ');
    expect(server.sandbox.ledger({ to: begun.from })).toHaveLength(1);
  });
});

/** A reply that Meta answers with this error, once. */
async function sendInto({ error: { code, subcode } }: (typeof cases)[number]): Promise<{ begun: Begun; id: string }> {
  const begun = await beginConversation(server);
  server.sandbox.fail({ kind: 'error', code, ...(subcode === null ? {} : { subcode }), to: begun.from, next: 1 });
  const { message } = await send(boris, 'replyToConversation', { conversationId: begun.conversationId, text: 'Text' });
  const id = message?.id ?? '';
  await eventually(async () => (await attemptsOf(id)) > 0, 10_000);
  return { begun, id };
}

describe('trouble of the channel', () => {
  it.each([190, 368, 131031])(
    '%i stops sending, chatModule says why, and all of it goes out once it is settled',
    async (code) => {
      const [begun, other] = [await beginConversation(server), await beginConversation(server)];
      server.sandbox.fail({ kind: 'error', code, to: begun.from, next: 1 });

      const first = await send(boris, 'replyToConversation', { conversationId: begun.conversationId, text: 'A' });
      await eventually(async () => (await openProblems())[0], 10_000);
      const second = await send(boris, 'replyToConversation', { conversationId: other.conversationId, text: 'B' });
      const queued = await messageOf(boris, second.message?.id ?? '');

      const alena = await server.as('alena');
      const { chatModule } = await alena.request<{ chatModule: { health: object[] } }>(
        '{ chatModule { health { code message providerCode businessNumber { id } since } } }',
      );
      expect(chatModule.health).toMatchObject([
        { code: 'SENDING_STOPPED', providerCode: code, businessNumber: null, message: expect.stringMatching(/\.$/) },
      ]);
      expect(queued).toMatchObject({ status: 'PENDING', failure: null });
      expect(server.sandbox.ledger({ to: other.from })).toEqual([]);
      await alena.request('mutation { verifyChatConnection { errors { message } } }');
      for (const { message } of [first, second]) await reached(boris, message?.id ?? '', 'SENT', 'DELIVERED', 'READ');
      expect(server.sandbox.ledger({ to: begun.from })).toHaveLength(1);
    },
  );

  it('of one number leaves the other one alone', async () => {
    const broken = await beginConversation(server);
    const whole = await beginConversation(server, { phoneNumberId: number2.phoneNumberId });
    server.sandbox.fail({ kind: 'error', code: 133010, phoneNumberId: number1.phoneNumberId, next: 1 });

    await send(boris, 'replyToConversation', { conversationId: broken.conversationId, text: 'A' });
    await eventually(async () => (await openProblems())[0], 10_000);
    const { message } = await send(boris, 'replyToConversation', { conversationId: whole.conversationId, text: 'B' });

    await reached(boris, message?.id ?? '', 'SENT', 'DELIVERED', 'READ');
    expect(server.sandbox.ledger({ to: broken.from })).toEqual([]);
  });
});

describe('trouble of the channel that only a late status tells', () => {
  it.each([
    { code: 190, isOfNumber: false },
    { code: 368, isOfNumber: false },
    { code: 131042, isOfNumber: false },
    { code: 131048, isOfNumber: true },
  ])('$code fails its message and stops the sending until it is settled', async ({ code, isOfNumber }) => {
    const [begun, other] = [await beginConversation(server), await beginConversation(server)];
    server.sandbox.fail({ kind: 'failed-status', code, to: begun.from, next: 1 });
    const first = await send(boris, 'replyToConversation', { conversationId: begun.conversationId, text: 'A' });
    const failed = await reached(boris, first.message?.id ?? '', 'FAILED');

    const second = await send(boris, 'replyToConversation', { conversationId: other.conversationId, text: 'B' });
    await jobIsDone(other);
    const whileStopped = server.sandbox.ledger({ to: other.from });
    const problems = await openProblems();
    await (await server.as('alena')).request('mutation { verifyChatConnection { errors { message } } }');

    expect(failed.failure).toMatchObject({ code, outcomeUnknown: false });
    expect(problems).toMatchObject([{ provider_code: code, stops_sending: true }]);
    expect(problems[0]?.business_number_id !== null).toBe(isOfNumber);
    expect(whileStopped).toEqual([]);
    await reached(boris, second.message?.id ?? '', 'SENT', 'DELIVERED', 'READ');
  });

  it('from before the last settlement changes nothing any more', async () => {
    const [begun, late] = [await beginConversation(server), await beginConversation(server)];
    server.sandbox.fail({ kind: 'drop-statuses', to: late.from, next: 1 });
    const waiting = await send(boris, 'replyToConversation', { conversationId: late.conversationId, text: 'A' });
    const [entry] = await eventually(async () => someOf(server.sandbox.ledger({ to: late.from })), 10_000);
    server.sandbox.fail({ kind: 'failed-status', code: 190, to: begun.from, next: 1 });
    await send(boris, 'replyToConversation', { conversationId: begun.conversationId, text: 'B' });
    await eventually(async () => (await openProblems())[0], 10_000);
    await server.sql(`UPDATE channel_problem SET cleared_at = now() + interval '1 minute' WHERE cleared_at IS NULL`);

    await server.sandbox.postStatus(entry?.providerId ?? '', 'failed', 190);

    await reached(boris, waiting.message?.id ?? '', 'FAILED');
    expect(await openProblems()).toEqual([]);
  });
});

describe('a limit', () => {
  it('of one customer does not hold up the others', async () => {
    const [slow, quick] = [await beginConversation(server), await beginConversation(server)];
    server.sandbox.fail({ kind: 'error', code: 131056, to: slow.from, next: 1 });

    await send(boris, 'replyToConversation', { conversationId: slow.conversationId, text: 'A' });
    const { message } = await send(boris, 'replyToConversation', { conversationId: quick.conversationId, text: 'B' });

    await reached(boris, message?.id ?? '', 'SENT', 'DELIVERED', 'READ');
    expect(server.sandbox.ledger({ to: slow.from })).toEqual([]);
    await eventually(async () => server.sandbox.ledger({ to: slow.from }).length === 1, 20_000);
  });

  it('that the usage header announces pauses the account for as long as it says', async () => {
    const begun = await beginConversation(server);
    server.sandbox.setLimits({ usage: { percent: 100, minutesToRegain: 7 } });

    const { message } = await send(boris, 'replyToConversation', { conversationId: begun.conversationId, text: 'A' });
    await reached(boris, message?.id ?? '', 'SENT', 'DELIVERED', 'READ');
    server.sandbox.setLimits({ usage: { percent: 1, minutesToRegain: 0 } });

    const [row] = await server.sql<{ minutes: number }>(
      `SELECT extract(epoch FROM paused_until - now()) / 60 AS minutes FROM send_budget WHERE scope = 'account'`,
    );
    expect(Number(row?.minutes)).toBeGreaterThan(6);
    expect(Number(row?.minutes)).toBeLessThan(7.1);
  });
});

describe('a lasting effect', () => {
  it.each(['error', 'failed-status'] as const)(
    '131050 by %s notes that the customer has stopped marketing',
    async (kind) => {
      const begun = await beginConversation(server);
      server.sandbox.fail({ kind, code: 131050, to: begun.from, next: 1 });

      const { message } = await send(boris, 'replyToConversation', { conversationId: begun.conversationId, text: 'A' });
      await reached(boris, message?.id ?? '', 'FAILED');

      const [row] = await server.sql<{ stopped: boolean }>(
        `SELECT p.marketing_stopped_at IS NOT NULL AS stopped FROM conversation c
       JOIN participant p ON p.id = c.participant_id WHERE c.id = $1`,
        [rowOf(begun.conversationId)],
      );
      expect(row).toEqual({ stopped: true });
    },
  );
});

async function attemptsOf(id: string): Promise<number> {
  const [row] = await server.sql<{ send_attempts: number; send_state: string }>(
    'SELECT send_attempts, send_state FROM message WHERE id = $1',
    [rowOf(id)],
  );
  return row && row.send_state !== 'SENDING' ? row.send_attempts : 0;
}

/** Nothing of this conversation is under way or planned. */
async function jobIsDone({ conversationId }: Begun): Promise<void> {
  await eventually(async () => {
    const jobs = await server.sql(`SELECT 1 FROM graphile_worker.jobs WHERE key = 'send:' || $1`, [
      rowOf(conversationId),
    ]);
    return jobs.length === 0;
  }, 10_000);
}

function someOf<T>(all: T[]): T[] | null {
  return all.length > 0 ? all : null;
}

function openProblems() {
  return server.sql(
    'SELECT provider_code, stops_sending, business_number_id FROM channel_problem WHERE cleared_at IS NULL',
  );
}

/** Where the waiting stands: with the message, the customer, the number, the account or the app. */
async function whoWaits(begun: Begun, id: string): Promise<[string, string] | null> {
  const [problem] = await openProblems();
  if (problem) return ['stopped', problem.business_number_id === null ? 'account' : 'number'];
  const [budget] = await server.sql<{ scope: string }>('SELECT scope FROM send_budget WHERE paused_until > now()');
  if (budget) return ['later', budget.scope.split(':')[0] ?? ''];
  const [row] = await server.sql<{ message: boolean; recipient: boolean }>(
    `SELECT m.send_not_before > now() AS message, c.send_paused_until > now() AS recipient
     FROM message m JOIN conversation c ON c.id = m.conversation_id WHERE m.id = $1 AND c.id = $2`,
    [rowOf(id), rowOf(begun.conversationId)],
  );
  if (row?.recipient) return ['later', 'recipient'];
  return row?.message ? ['later', 'message'] : null;
}

/** As if the time had passed, or an administrator had settled it. */
async function endWaiting(begun: Begun, id: string): Promise<void> {
  await server.sql('UPDATE channel_problem SET cleared_at = now() WHERE cleared_at IS NULL');
  await server.sql('UPDATE send_budget SET paused_until = NULL');
  await server.sql('UPDATE message SET send_not_before = NULL WHERE id = $1', [rowOf(id)]);
  await server.sql('UPDATE conversation SET send_paused_until = NULL WHERE id = $1', [rowOf(begun.conversationId)]);
  await server.sql(
    `SELECT graphile_worker.add_job('send', json_build_object('conversationId', id, 'businessNumberId', business_number_id),
       job_key => 'send:' || id) FROM conversation WHERE id = $1`,
    [rowOf(begun.conversationId)],
  );
}
