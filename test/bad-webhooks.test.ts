import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { conversationWith } from './support/conversations.ts';
import { fixture, fixtureNames } from './support/fixtures.ts';
import { mutated, nastyValue } from './support/nasty.ts';
import { batchOf, statusOf, textMessage, type Element } from './support/payloads.ts';
import { number1, postSigned, startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ settings: { LOG_LEVEL: 'fatal' } });
});

afterAll(() => server[Symbol.asyncDispose]());

let customers = 0;
const nextCustomer = () => String(420_660_000_000 + ++customers);
const shown = async (from: string) => conversationWith(await server.as('cyril'), `Customer ${from}`);
const body = (...elements: Element[]) => JSON.stringify(batchOf(number1.phoneNumberId, elements));
const stateOfNewest = async () =>
  (
    await server.sql<{ state: string }>('SELECT state FROM webhook_delivery ORDER BY received_at DESC, id DESC LIMIT 1')
  )[0]?.state;

/** What became of it; a good message afterwards must be taken as ever. */
async function survives(text: string): Promise<{ status: number; state: string | undefined }> {
  const { status } = await postSigned(server.url, text);
  const state = await stateOfNewest();
  const from = nextCustomer();
  expect((await postSigned(server.url, body(textMessage({ from, text: 'dál' })))).status).toBe(200);
  expect((await shown(from)).lastMessage?.preview).toBe('dál');
  return { status, state };
}

const processed = { status: 200, state: 'PROCESSED' };
const ignored = { status: 200, state: 'IGNORED' };

describe('a text', () => {
  it.each([
    ['NUL', 'před\0po', 'předpo'],
    ['a lone high surrogate', 'před\ud83dpo', 'předpo'],
    ['a lone low surrogate', 'před\udc00po', 'předpo'],
  ])('with %s is kept without it, and marked', async (_what, text, kept) => {
    const from = nextCustomer();

    expect(await survives(body(textMessage({ from, text })))).toEqual(processed);

    expect((await shown(from)).messages.nodes[0]?.content).toMatchObject({ text: kept });
    expect(await server.sql('SELECT cleaned FROM message WHERE preview = $1 ORDER BY id DESC LIMIT 1', [kept])).toEqual(
      [{ cleaned: true }],
    );
  });

  it('of 100,000 characters is kept whole', async () => {
    const from = nextCustomer();
    const text = '😀'.repeat(50_000);

    expect(await survives(body(textMessage({ from, text })))).toEqual(processed);

    expect((await shown(from)).messages.nodes[0]?.content.text).toBe(text);
  });
});

describe('a time', () => {
  it.each([
    ['from before WhatsApp', '1'],
    ['from the year 9999', '253402300799'],
    ['too large for any date', '99999999999999999999'],
    ['that is no number', 'zítra'],
    ['below zero', '-5'],
    ['that is missing', undefined],
    ['that is an object', { seconds: 1 }],
  ])('%s is replaced by ours', async (_what, timestamp) => {
    const from = nextCustomer();

    expect(await survives(body({ ...textMessage({ from }), timestamp }))).toEqual(processed);

    const conversation = await shown(from);
    expect(Math.abs(Date.now() - Date.parse(conversation.lastMessageAt))).toBeLessThan(60_000);
    expect(conversation.window.state).toBe('OPEN');
  });
});

describe('an id', () => {
  it('of 500 characters works everywhere', async () => {
    const from = nextCustomer();
    const id = `wamid.${'ž'.repeat(494)}`;

    await survives(
      body(textMessage({ from, id }), {
        ...textMessage({ from }),
        type: 'reaction',
        reaction: { message_id: id, emoji: '👍' },
      }),
    );

    expect((await shown(from)).messages.nodes[0]?.reactions).toHaveLength(1);
  });

  it('of a customer of 500 characters is kept', async () => {
    await survives(
      JSON.stringify({
        ...batchOf(number1.phoneNumberId, [{ ...textMessage({ id: 'wamid.long-customer' }), from: '4'.repeat(500) }]),
      }),
    );

    expect(await server.sql(`SELECT FROM message WHERE provider_id = 'wamid.long-customer'`)).toHaveLength(1);
  });
});

describe('a body', () => {
  it('of ten megabytes is refused with 413', async () => {
    const answer = await postSigned(server.url, body(textMessage({ text: 'x'.repeat(10 * 1024 * 1024) }))).catch(
      (error: unknown) => error,
    );

    // The server answers before it has read everything, which some clients take for a broken connection.
    expect(answer instanceof Response ? answer.status : 413).toBe(413);
  });

  it('nested a hundred thousand times is taken', async () => {
    const nested = `${'[{"entry":'.repeat(100_000)}1${'}]'.repeat(100_000)}`;

    expect(await survives(`{"object":"whatsapp_business_account","entry":${nested}}`)).toEqual(ignored);
  });

  it('with a key twice is read as JSON says: the last one counts', async () => {
    const from = nextCustomer();
    const text = body(textMessage({ from, text: 'druhé' })).replace('"text":{', '"text":{"body":"první"},"text":{');

    expect(await survives(text)).toEqual(processed);

    expect((await shown(from)).lastMessage?.preview).toBe('druhé');
  });

  it.each<[string, unknown]>([
    ['no object', []],
    ['null', null],
    ['a number', 42],
    ['entry of a wrong type', { object: 'whatsapp_business_account', entry: 'x' }],
    ['changes of a wrong type', { object: 'whatsapp_business_account', entry: [{ changes: { a: 1 } }] }],
    ['an element of a wrong type', batchOf(number1.phoneNumberId, ['x' as unknown as Element])],
    [
      'contacts of a wrong type',
      { object: 'whatsapp_business_account', entry: [{ changes: [{ value: { contacts: 5 } }] }] },
    ],
  ])('that is %s is answered 200 and ignored', async (_what, value) => {
    expect(await survives(JSON.stringify(value))).toEqual(ignored);
  });

  it.each<[string, Element]>([
    ['text', { type: 'text', text: { body: { deep: [1] } } }],
    ['image', { type: 'image', image: [] }],
    ['location', { type: 'location', location: { latitude: 'north', longitude: null } }],
    ['location', { type: 'location', location: { latitude: 1e300, longitude: -1e300 } }],
    ['contacts', { type: 'contacts', contacts: { name: 1 } }],
    ['context', { text: { body: 'x' }, context: { id: { a: 1 } } }],
    ['errors', { text: { body: 'x' }, errors: [{ code: 'x'.repeat(1_000), title: 5 }] }],
    ['errors', { text: { body: 'x' }, errors: [{ code: 99_999_999_999 }] }],
    ['referral', { text: { body: 'x' }, referral: 'x' }],
  ])('with %s of wrong types keeps the message', async (_what, more) => {
    const from = nextCustomer();

    expect(await survives(body({ ...textMessage({ from }), text: undefined, ...more }))).toEqual(processed);

    expect((await shown(from)).messages.nodes).toHaveLength(1);
  });

  it('with a thousand elements of which every tenth is bad keeps the good ones', async () => {
    const elements = Array.from({ length: 1_000 }, (_, n) =>
      n % 10 === 0 ? { id: n } : textMessage({ id: `wamid.thousand-${n}`, from: '420661000001' }),
    );

    expect(await survives(JSON.stringify(batchOf(number1.phoneNumberId, elements)))).toEqual(processed);

    const [count] = await server.sql(
      `SELECT count(*)::int AS n FROM message WHERE provider_id LIKE 'wamid.thousand-%'`,
    );
    expect(count).toEqual({ n: 900 });
  });

  it('with statuses of wrong types changes nothing', async () => {
    const outcome = await survives(
      JSON.stringify(
        batchOf(
          number1.phoneNumberId,
          [],
          [
            statusOf({ id: 'a', status: 'in_orbit' }),
            { id: 5, status: ['read'] },
            { status: 'read' },
            { id: 'b', status: 'failed', errors: 'none', timestamp: 'x' },
          ],
        ),
      ),
    );

    expect(outcome).toEqual(processed);
  });
});

/** Samples with nonsense put anywhere in them: the database must take whatever the reader makes of it. */
const RUNS = Number(process.env.MUTATIONS ?? 60);

it(`${RUNS} samples with nonsense in them are applied, each with all that can be read`, async () => {
  const names = fixtureNames('payloads').filter((name) => name.endsWith('.json'));
  const ours = (value: unknown) =>
    JSON.stringify(value).replaceAll(/"phone_number_id":"[^"]*"/g, `"phone_number_id":"${number1.phoneNumberId}"`);
  const mutation = fc.record({
    name: fc.constantFrom(...names),
    cuts: fc.array(fc.tuple(fc.nat(), nastyValue()), { minLength: 1, maxLength: 4 }),
  });

  await fc.assert(
    fc.asyncProperty(mutation, async ({ name, cuts }) => {
      const answer = await postSigned(server.url, ours(mutated(fixture(`payloads/${name}`), cuts)));

      expect(answer.status).toBe(200);
      expect(['PROCESSED', 'IGNORED']).toContain(await stateOfNewest());
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
}, 300_000);
