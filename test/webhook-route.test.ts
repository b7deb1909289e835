import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batchOf, textMessage } from './support/payloads.ts';
import {
  APP_SECRET,
  number1,
  number2,
  postSigned,
  startTestServer,
  VERIFY_TOKEN,
  type TestServer,
} from './support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ settings: { LOG_LEVEL: 'fatal' } });
});

afterAll(() => server[Symbol.asyncDispose]());

describe('the handshake', () => {
  const shake = (query: Record<string, string>) =>
    fetch(`${server.url}/webhooks/whatsapp?${new URLSearchParams(query)}`);

  it('echoes the challenge as plain text for the right token', async () => {
    const answer = await shake({
      'hub.mode': 'subscribe',
      'hub.verify_token': VERIFY_TOKEN,
      'hub.challenge': '<b>1158201444</b>',
    });

    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('content-length')]).toEqual([
      200,
      'text/plain; charset=utf-8',
      '17',
    ]);
    expect(await answer.text()).toBe('<b>1158201444</b>');
  });

  it.each([
    ['a wrong token', { 'hub.mode': 'subscribe', 'hub.verify_token': 'wrong', 'hub.challenge': '1' }, 403],
    ['no token', { 'hub.mode': 'subscribe', 'hub.challenge': '1' }, 403],
    ['another mode', { 'hub.mode': 'unsubscribe', 'hub.verify_token': VERIFY_TOKEN, 'hub.challenge': '1' }, 403],
    ['no challenge', { 'hub.mode': 'subscribe', 'hub.verify_token': VERIFY_TOKEN }, 400],
  ])('refuses %s', async (_case, query, status) => {
    expect((await shake(query)).status).toBe(status);
  });
});

describe('a delivery', () => {
  const body = JSON.stringify(
    batchOf(number1.phoneNumberId, [textMessage({ id: 'wamid.route-1', text: 'Háčky a čárky' })]),
  );
  const signed = (text: string, secret = APP_SECRET) =>
    `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`;
  const stored = async () => (await server.sql<{ n: number }>('SELECT count(*)::int AS n FROM webhook_delivery'))[0]?.n;

  it.each([
    ['without a signature', {}],
    ['with a wrong signature', { 'x-hub-signature-256': signed(body, 'another secret') }],
    ['with a signature cut short', { 'x-hub-signature-256': signed(body).slice(0, -2) }],
    ['with a signature of another kind', { 'x-hub-signature-256': signed(body).replace('sha256', 'sha1') }],
  ])('%s is refused and not stored', async (_case, headers: Record<string, string>) => {
    const answer = await fetch(`${server.url}/webhooks/whatsapp`, { method: 'POST', body, headers });

    expect(answer.status).toBe(401);
    expect(await stored()).toBe(0);
  });

  it('is taken with the present and with the previous secret while that is changed', async () => {
    await using changing = await startTestServer({ settings: { META_APP_SECRET_PREVIOUS: 'the secret before' } });
    const post = async (secret: string) =>
      (await postSigned(changing.url, JSON.stringify(batchOf(number1.phoneNumberId, [textMessage()])), {}, secret))
        .status;

    expect(await Promise.all([APP_SECRET, 'the secret before', 'another'].map(post))).toEqual([200, 200, 401]);
  });

  it('that is not JSON is refused with 400', async () => {
    expect((await server.postWebhook('{"object":')).status).toBe(400);
  });

  it('over 3 MB is refused with 413', async () => {
    const answer = await server.postWebhook(
      JSON.stringify({ object: 'whatsapp_business_account', pad: 'x'.repeat(3 * 1024 * 1024) }),
    );

    expect(answer.status).toBe(413);
  });

  it('is taken with its signature in capitals, odd white space and escaped Unicode', async () => {
    const odd = `  ${body.replaceAll(/[^\x20-\x7e]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;

    const answer = await server.postWebhook(odd, {
      'x-hub-signature-256': signed(odd).toUpperCase().replace('SHA256', 'sha256'),
    });

    expect(answer.status).toBe(200);
    const [message] = await server.sql(`SELECT preview FROM message WHERE provider_id = 'wamid.route-1'`);
    expect(message).toEqual({ preview: 'Háčky a čárky' });
  });

  it('of another object is answered and kept as IGNORED, whatever is in it', async () => {
    const foreign = { ...batchOf(number1.phoneNumberId, [textMessage({ id: 'wamid.foreign' })]), object: 'instagram' };

    const answer = await server.postWebhook(foreign);

    expect(answer.status).toBe(200);
    const [last] = await server.sql('SELECT state FROM webhook_delivery ORDER BY received_at DESC, id DESC LIMIT 1');
    expect(last).toEqual({ state: 'IGNORED' });
    expect(await server.sql(`SELECT FROM message WHERE provider_id = 'wamid.foreign'`)).toHaveLength(0);
  });

  it('for a number that is not ours is kept as IGNORED', async () => {
    const answer = await server.postWebhook(batchOf('999999999999999', [textMessage({ id: 'wamid.elsewhere' })]));

    expect(answer.status).toBe(200);
    const [last] = await server.sql('SELECT state FROM webhook_delivery ORDER BY received_at DESC, id DESC LIMIT 1');
    expect(last).toEqual({ state: 'IGNORED' });
  });

  it('with many entries and changes is stored whole, and five times in parallel changes nothing more', async () => {
    const parts = [number1, number2].flatMap(({ phoneNumberId }, entry) =>
      [0, 1].map((change) => ({
        ...batchOf(
          phoneNumberId,
          [0, 1, 2].map((n) =>
            textMessage({ id: `wamid.many-${entry}${change}${n}`, from: '420602000001', text: `${n}` }),
          ),
        ),
      })),
    );
    const whole = { object: 'whatsapp_business_account', entry: parts.flatMap((part) => part.entry) };
    const counts = () =>
      server.sql(`SELECT (SELECT count(*)::int FROM message WHERE provider_id LIKE 'wamid.many-%') AS messages,
        (SELECT count(*)::int FROM event WHERE type = 'MESSAGE_ADDED') AS events, (SELECT sum(unread_count)::int FROM conversation) AS unread`);

    await server.postWebhook(whole);
    const first = await counts();
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => server.postWebhook(whole)));

    expect(first[0]).toMatchObject({ messages: 12 });
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200, 200]);
    expect(await counts()).toEqual(first);
  });

  it('makes one conversation out of two first messages at once', async () => {
    const post = (n: number) =>
      server.postWebhook(
        batchOf(number1.phoneNumberId, [textMessage({ id: `wamid.race-${n}`, from: '420603000001' })]),
      );

    await Promise.all(Array.from({ length: 20 }, (_, n) => post(n)));

    const rows = await server.sql(
      `SELECT unread_count FROM conversation c JOIN participant p ON p.id = c.participant_id WHERE p.wa_id = '420603000001'`,
    );
    expect(rows).toEqual([{ unread_count: 20 }]);
  });
});
