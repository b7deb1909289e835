import { createHmac } from 'node:crypto';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FaultRule } from '../src/sandbox/faults.ts';
import type { Sandbox, SandboxOptions } from '../src/sandbox/options.ts';
import { startSandbox } from '../src/sandbox/server.ts';
import { escapeAsMeta } from '../src/sandbox/webhooks.ts';
import { startReceiver } from './support/webhook-receiver.ts';
import type { Received, Receiver } from './support/webhook-receiver.ts';

const appSecret = 'app-secret';
const number = { id: '100000000000011', displayPhoneNumber: '+420 777 000 111', verifiedName: 'Podpora' };
const customer = '420601123456';
const text = { messaging_product: 'whatsapp', to: `+${customer}`, type: 'text', text: { body: 'Ahoj' } };
const log = pino({ level: 'silent' });

let receiver: Receiver;
let sandbox: Sandbox;

beforeEach(async () => {
  receiver = await startReceiver();
  sandbox = await start();
});
afterEach(async () => {
  await sandbox[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

describe('a customer who writes', () => {
  it('reaches the webhook signed over the bytes that are sent, escaped as Meta escapes them', async () => {
    const said = 'Žluťoučký kůň: a/b, jan@firma.cz 😀';

    const { httpStatus, wamid } = await sandbox.customerWrites({
      phoneNumberId: number.id,
      from: `+${customer}`,
      text: said,
    });

    expect(httpStatus).toBe(200);
    const [delivery] = receiver.received;
    const expected = createHmac('sha256', appSecret)
      .update(delivery?.raw ?? '')
      .digest('hex');
    expect(delivery?.headers['x-hub-signature-256']).toBe(`sha256=${expected}`);
    expect(delivery?.raw).toMatch(/^[\x20-\x7e]+$/);
    expect(delivery?.raw).toContain(String.raw`a\/b, jan\u0040firma.cz \ud83d\ude00`);
    expect(messageIn(delivery)).toEqual({
      from: customer,
      id: wamid,
      timestamp: expect.any(String),
      type: 'text',
      text: { body: said },
    });
  });

  it('may have no number, only a business-scoped id', async () => {
    await sandbox.customerWrites({ phoneNumberId: number.id, userId: 'CZ.123', name: 'Jana', text: 'x' });

    expect(valueOf(receiver.received[0])).toMatchObject({
      contacts: [{ profile: { name: 'Jana' }, user_id: 'CZ.123' }],
      messages: [{ from_user_id: 'CZ.123' }],
    });
    expect(messageIn(receiver.received[0])).not.toHaveProperty('from');
  });

  it('may send a file, which is then there to be fetched with the token for five minutes', async () => {
    const media = { type: 'image', content: Buffer.from('pixels'), mimeType: 'image/png', caption: 'Foto' } as const;
    await sandbox.customerWrites({ phoneNumberId: number.id, from: customer, media });
    const { image } = messageIn(receiver.received[0]);

    const info = await graph('GET', `/v25.0/${image.id}`);
    const file = await fetch(info.body.url, { headers: { authorization: `Bearer ${sandbox.accessToken}` } });
    const withoutToken = await fetch(info.body.url);

    expect(image).toMatchObject({ caption: 'Foto', mime_type: 'image/png' });
    expect(Buffer.from(image.sha256, 'base64').toString('hex')).toBe(info.body.sha256);
    expect(Number(new URL(info.body.url).searchParams.get('ext')) - Date.now() / 1_000).toBeCloseTo(300, -1);
    expect(await file.text()).toBe('pixels');
    expect(withoutToken.status).toBe(401);
  });

  it('is repeated with growing pauses until the answer is 200', async () => {
    await using patient = await start({ retry: { maxRetries: 5, firstPauseMs: 20 } });
    receiver.answers.push(503, 500);

    const posted = await patient.customerWrites({ phoneNumberId: number.id, from: customer, text: 'x' });
    await patient.settled();

    expect(posted.httpStatus).toBe(503);
    expect(receiver.received).toHaveLength(3);
    expect(new Set(receiver.received.map(({ raw }) => raw)).size).toBe(1);
  });
});

describe('a message that is sent', () => {
  it('is accepted and gets its statuses in order, with our own data in each', async () => {
    const { status, body, headers } = await send({ ...text, biz_opaque_callback_data: 'mine' });
    await sandbox.settled();

    const providerId = body.messages[0].id;
    expect(status).toBe(200);
    expect(headers.get('x-business-use-case-usage')).toContain('estimated_time_to_regain_access');
    expect(body).toMatchObject({
      messaging_product: 'whatsapp',
      contacts: [{ input: `+${customer}`, wa_id: customer }],
    });
    expect(statuses()).toMatchObject([
      { id: providerId, status: 'sent', recipient_id: customer, biz_opaque_callback_data: 'mine' },
      { id: providerId, status: 'delivered', biz_opaque_callback_data: 'mine' },
      { id: providerId, status: 'read', biz_opaque_callback_data: 'mine' },
    ]);
    expect(sandbox.ledger()).toMatchObject([{ providerId, to: customer, opaqueData: 'mine', kind: 'message' }]);
  });

  it.each([
    ['no token', {}, 401, 190],
    ['a wrong token', { authorization: 'Bearer other' }, 401, 190],
  ])('with %s is refused', async (_title, headers, status, code) => {
    const answer = await graph('POST', `/v25.0/${number.id}/messages`, text, headers);

    expect(answer).toMatchObject({ status, body: { error: { code } } });
  });

  it.each([
    ['an unknown number', '/v25.0/5/messages', text, 100, 33],
    ['no recipient', undefined, { ...text, to: undefined }, 100, undefined],
    ['a bad recipient', undefined, { ...text, to: 'jana' }, 131009, undefined],
    ['no product', undefined, { ...text, messaging_product: undefined }, 100, undefined],
    ['an unknown type', undefined, { ...text, type: 'carrier_pigeon' }, 100, undefined],
    ['no text', undefined, { ...text, text: {} }, 131008, undefined],
    ['a text that is too long', undefined, { ...text, text: { body: 'x'.repeat(4_097) } }, 100, undefined],
    ['no file', undefined, { ...text, type: 'image', image: {} }, 131008, undefined],
  ])(
    'with %s is refused as Meta does it',
    async (_title, path = `/v25.0/${number.id}/messages`, payload, code, subcode) => {
      const answer = await graph('POST', path, payload);

      expect(answer).toMatchObject({ status: 400, body: { error: { code, fbtrace_id: expect.any(String) } } });
      expect(answer.body.error?.error_subcode).toBe(subcode);
      expect(sandbox.ledger()).toEqual([]);
    },
  );

  it('outside of the 24 hours is refused when asked for, unless it is a template', async () => {
    sandbox.setLimits({ enforceWindow: true });
    const template = { name: 'dobry_den', language: { code: 'cs' } };

    const before = await send(text);
    const asTemplate = await send({ ...text, type: 'template', template });
    await sandbox.customerWrites({ phoneNumberId: number.id, from: customer, text: 'Jste tam?' });
    const after = await send(text);

    expect(before.body.error?.code).toBe(131047);
    expect(asTemplate.body.messages[0].message_status).toBe('accepted');
    expect(after.status).toBe(200);
  });

  it('is one too many for the number or for the pair when limits are on', async () => {
    sandbox.setLimits({ pair: { burst: 2, everyMs: 60_000 } });
    const pair = [await send(text), await send(text), await send(text), await send({ ...text, to: '420601000000' })];
    sandbox.setLimits({ pair: null, messagesPerSecond: 1 });
    const rate = await Promise.all([1, 2, 3, 4].map(() => send(text)));

    expect(pair.map(({ body }) => body.error?.code)).toEqual([undefined, undefined, 131056, undefined]);
    expect(rate.filter(({ body }) => body.error?.code === 130429).length).toBeGreaterThanOrEqual(2);
  });

  it('is kept apart from marks, which only incoming messages can get', async () => {
    const { wamid } = await sandbox.customerWrites({ phoneNumberId: number.id, from: customer, text: 'x' });
    const sent = await send(text);

    const mark = { messaging_product: 'whatsapp', status: 'read' };
    const good = await send({ ...mark, message_id: wamid, typing_indicator: { type: 'text' } });
    const outgoing = await send({ ...mark, message_id: sent.body.messages[0].id });

    expect(good.body).toEqual({ success: true });
    expect(outgoing.body.error?.error_data.details).toContain('is outgoing');
    expect(sandbox.ledger().map(({ kind }) => kind)).toEqual(['message', 'typing']);
  });
});

describe('a template message', () => {
  const named = (name: string, value: string): unknown => ({ type: 'text', parameter_name: name, text: value });
  const body = { type: 'body', parameters: [named('jmeno', 'Petr'), named('cislo', '1'), named('stav', 'nový')] };
  const button = { type: 'button', sub_type: 'url', index: '0', parameters: [{ type: 'text', text: '1' }] };

  it.each([
    ['with all values', 'stav_pozadavku', [body, button], undefined],
    ['without the value of its button', 'stav_pozadavku', [body], 131008],
    ['with too few values', 'stav_pozadavku', [{ ...body, parameters: [] }, button], 132000],
    ['with a line break', 'dobry_den', [], undefined],
    ['that is paused', 'summer_sale', [], 132001],
    ['that was rejected', 'vyherni_akce', [], 132001],
    ['without its header image', 'pripominka_platby', [], 132012],
    ['that does not exist', 'nic', [], 132001],
  ])('%s', async (_title, name, components, code) => {
    const answer = await send({ ...text, type: 'template', template: { name, language: { code: 'cs' }, components } });

    expect(answer.body.error?.code).toBe(code);
  });
});

describe('a fault', () => {
  it.each<[string, FaultRule, number, number]>([
    ['one of Meta’s errors', { kind: 'error', code: 131026 }, 400, 0],
    ['an error with its own HTTP status', { kind: 'error', code: 131000, httpStatus: 500 }, 500, 0],
    ['a proxy’s error page', { kind: 'server-error', httpStatus: 504 }, 504, 0],
    ['a proxy’s error page although it was sent', { kind: 'server-error', accepted: true }, 502, 1],
    ['an unreadable answer', { kind: 'garbled' }, 200, 1],
    ['a slow answer', { kind: 'slow', ms: 30 }, 200, 1],
  ])('%s', async (_title, rule, status, ledgered) => {
    sandbox.fail({ ...rule, next: 1 });

    const answer = await send(text);
    const next = await send(text);

    expect(answer.status).toBe(status);
    expect(sandbox.ledger()).toHaveLength(ledgered + 1);
    expect(next.status).toBe(200);
  });

  it.each<FaultRule>([{ kind: 'hang' }, { kind: 'cut' }])(
    'without an answer: %j, and still the statuses come',
    async (rule) => {
      sandbox.fail({ ...rule, next: 1 });

      const lost = send({ ...text, biz_opaque_callback_data: 'mine' }, AbortSignal.timeout(100));

      await expect(lost).rejects.toBeInstanceOf(Error);
      await sandbox.settled();
      expect(statuses()).toMatchObject([
        { biz_opaque_callback_data: 'mine' },
        { status: 'delivered' },
        { status: 'read' },
      ]);
    },
  );

  it('can bring the first status before the answer', async () => {
    sandbox.fail({ kind: 'status-first', next: 1 });

    await send(text);

    expect(statuses()[0]).toMatchObject({ status: 'sent' });
  });

  it.each<[FaultRule, string[]]>([
    [{ kind: 'reverse-statuses' }, ['read', 'delivered', 'sent']],
    [{ kind: 'duplicate-statuses' }, ['sent', 'sent', 'delivered', 'delivered', 'read', 'read']],
    [{ kind: 'drop-statuses', only: ['delivered'] }, ['sent', 'read']],
    [{ kind: 'drop-statuses' }, []],
    [{ kind: 'failed-status', code: 131026 }, ['sent', 'failed']],
    [{ kind: 'failed-status', code: 131047, atOnce: true }, ['failed']],
  ])('in the statuses: %j', async (rule, expected) => {
    sandbox.fail(rule);

    await send(text);
    await sandbox.settled();

    expect(statuses().map(({ status }) => status)).toEqual(expected);
  });

  it('keeps true timestamps when the order is wrong', async () => {
    sandbox.setDelays({ sentMs: 0, deliveredMs: 1_000, readMs: 2_000 });
    sandbox.fail({ kind: 'reverse-statuses' });
    sandbox.fail({ kind: 'drop-statuses', only: ['sent'] });

    await send(text);
    await sandbox.settled();

    const [read, delivered] = statuses();
    expect(Number(read?.timestamp)).toBeGreaterThan(Number(delivered?.timestamp));
  });

  it('can be asked for by customer and by text', async () => {
    sandbox.fail({ kind: 'error', code: 131026, to: '+420 601 000 000' });
    sandbox.fail({ kind: 'error', code: 131000, textIncludes: '#chyba' });

    const answers = [
      await send(text),
      await send({ ...text, to: '+420601000000' }),
      await send({ ...text, text: { body: 'x #chyba' } }),
    ];

    expect(answers.map(({ body }) => body.error?.code)).toEqual([undefined, 131026, 131000]);
  });
});

describe('the same seed', () => {
  it('gives the same ids and the same luck', async () => {
    const runs = await Promise.all([7, 7, 8].map(run));

    expect(runs[0]).toEqual(runs[1]);
    expect(runs[0]).not.toEqual(runs[2]);
    expect(new Set(runs[0]?.codes).size).toBe(2);
  });

  async function run(seed: number): Promise<{ ids: string[]; codes: number[] }> {
    await using seeded = await start({ seed });
    seeded.fail({ kind: 'error', code: 131000, probability: 0.5 });
    const codes: number[] = [];
    for (let count = 0; count < 20; count += 1) {
      const answer = await graph('POST', `/v25.0/${number.id}/messages`, text, authorization(), undefined, seeded.url);
      codes.push(answer.status);
    }
    return { ids: seeded.ledger().map(({ providerId }) => providerId), codes };
  }
});

describe('the listing of templates', () => {
  it('comes in pages of 25 with a cursor, and an empty one without paging', async () => {
    const [sample] = sandbox.templates();
    if (sample === undefined) throw new Error('no samples');
    const templates = Array.from({ length: 60 }, (_, index) => ({ ...sample, id: String(index), name: `t_${index}` }));
    await using full = await start({ templates });
    await using empty = await start({ templates: [] });

    const path = `/v25.0/${full.businessAccountId}/message_templates`;
    const first = await graph('GET', path, undefined, authorization(), undefined, full.url);
    const after = first.body.paging.cursors.after;
    const last = await graph(
      'GET',
      `${path}?limit=100&after=${after}`,
      undefined,
      authorization(),
      undefined,
      full.url,
    );
    const none = await graph('GET', path, undefined, authorization(), undefined, empty.url);

    expect(first.body.data).toHaveLength(25);
    expect(first.body.paging.next).toContain('access_token');
    expect(last.body.data).toHaveLength(35);
    expect(last.body.paging).not.toHaveProperty('next');
    expect(none.body).toEqual({ data: [] });
  });

  it('tells the webhook when a status changes, with the language spelled as Meta spells it there', async () => {
    await sandbox.changeTemplate({ name: 'hello_again', language: 'en_US', status: 'PAUSED', reason: 'NONE' });

    expect(valueOf(receiver.received[0])).toMatchObject({
      event: 'PAUSED',
      message_template_id: 2901000000000002,
      message_template_language: 'en-US',
    });
    expect(sandbox.templates().find(({ name }) => name === 'hello_again')?.status).toBe('PAUSED');
  });
});

describe('the controls over HTTP', () => {
  it('let another process play a customer, set a fault and read the ledger', async () => {
    const written = await control('POST', '/sandbox/customer-message', {
      from: customer,
      name: 'Jana',
      text: 'Dobrý den',
    });
    const fault = await control('POST', '/sandbox/faults', { kind: 'error', code: 131026, next: 1 });
    const refused = await send(text);
    const sent = await send(text);
    const ledger = await control('GET', `/sandbox/ledger?to=${customer}`);
    const read = await control('POST', '/sandbox/read', { wamid: sent.body.messages[0].id });

    expect(written.body).toMatchObject({ httpStatus: 200, wamid: expect.stringMatching(/^wamid\./) });
    expect(fault.body).toEqual({ done: true });
    expect(refused.body.error?.code).toBe(131026);
    expect(ledger.body).toMatchObject([{ to: customer, payload: text }]);
    expect(read.body).toEqual({ httpStatus: 200 });
  });

  it.each([
    ['/sandbox/nothing', {}, 404],
    ['/sandbox/faults', { kind: 'flood' }, 400],
    ['/sandbox/read', { wamid: 'unknown' }, 400],
    ['/sandbox/customer-message', { text: 'nobody' }, 400],
  ])('answer a mistake in POST %s %j with HTTP %i and a sentence', async (path, body, status) => {
    const answer = await control('POST', path, body);

    expect(answer).toMatchObject({ status, body: { error: expect.any(String) } });
  });

  it('replace the business numbers', async () => {
    await control('POST', '/sandbox/phone-numbers', [{ ...number, id: '100000000000012' }]);

    const before = await send(text);
    const after = await graph('POST', '/v25.0/100000000000012/messages', text);

    expect(before.body.error).toMatchObject({ code: 100, error_subcode: 33 });
    expect(after.status).toBe(200);
  });

  it('make the handshake', async () => {
    const answer = await control('POST', '/sandbox/handshake', { verifyToken: 'a b&c' });

    expect(answer.body).toEqual({ httpStatus: 200, isEchoed: true });
  });
});

it('escapes as Meta does and stays the same JSON', () => {
  const value = { a: 'ř/@\\/"\u2028\u007f', '/é': '😀' };

  expect(JSON.parse(escapeAsMeta(JSON.stringify(value)))).toEqual(value);
});

function start(more: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const delays = { sentMs: 0, deliveredMs: 0, readMs: 0 };
  return startSandbox({ webhookUrl: receiver.url, appSecret, phoneNumbers: [number], log, delays, seed: 1, ...more });
}

function send(payload: unknown, signal?: AbortSignal): Promise<Answer> {
  return graph('POST', `/v25.0/${number.id}/messages`, payload, authorization(), signal);
}

function control(method: string, path: string, body?: unknown): Promise<Answer> {
  return graph(method, path, body, {});
}

/** The parts of the answers that the tests look into; each call has some of them. */
type Body = {
  url: string;
  sha256: string;
  data: unknown[];
  paging: { cursors: { after: string }; next?: string };
  contacts: unknown[];
  messages: [{ id: string; message_status?: string }];
  error?: { code: number; error_subcode?: number; error_data: { details: string } };
};
type Answer = { status: number; headers: Headers; body: Body };

type Webhook = { entry: [{ changes: [{ value: { messages?: Message[]; statuses?: Status[] } }] }] };
type Message = { image: { id: string; sha256: string } };
type Status = { status: string; timestamp: string };

function valueOf(delivery: Received | undefined): Webhook['entry'][0]['changes'][0]['value'] {
  // The sandbox posts one entry with one change.
  const webhook = JSON.parse(delivery?.raw ?? '') as Webhook;
  return webhook.entry[0].changes[0].value;
}

function messageIn(delivery: Received | undefined): Message {
  const [message] = valueOf(delivery).messages ?? [];
  if (message === undefined) throw new Error('no message in the webhook');
  return message;
}

function statuses(): Status[] {
  return receiver.received.flatMap((delivery) => valueOf(delivery).statuses ?? []);
}

async function graph(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = authorization(),
  signal?: AbortSignal,
  url = sandbox.url,
): Promise<Answer> {
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  const all = { ...headers, 'content-type': 'application/json' };
  const response = await fetch(url + path, { method, headers: all, ...content, ...(signal && { signal }) });
  // What a test then finds missing fails that test.
  const parsed = parse(await response.text()) as Body;
  return { status: response.status, headers: response.headers, body: parsed };
}

function authorization(): Record<string, string> {
  return { authorization: `Bearer ${sandbox.accessToken}` };
}

function parse(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return raw;
  }
}
