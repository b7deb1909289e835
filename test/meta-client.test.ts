import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createMetaClient } from '../src/meta/client.ts';
import type { MetaClient } from '../src/meta/client.ts';
import type { TemplateListing } from '../src/meta/templates.ts';
import { startSandbox } from '../src/sandbox/server.ts';
import { noTracing } from '../src/tracing/tracing.ts';
import { fixture, fixtureNames } from './support/fixtures.ts';
import { answerJson, startAnswering } from './support/http-answers.ts';
import type { AnsweringServer, Answering } from './support/http-answers.ts';

const token = 'EAAtoken0123456789secret';
const log = pino({ level: 'silent' });

type Recorded = { response: { status: number; headers: Record<string, string>; body: unknown } };

describe('a recorded exchange', () => {
  it.each(recorded('messages.send_', 'success', '_link', '_id', 'file_name', 'reply_a_message'))(
    '%s: accepted',
    async (name) => {
      const outcome = await replay(name, (client) => client.sendMessage('1', token, {}));

      expect(outcome).toMatchObject({ kind: 'accepted', providerId: expect.stringMatching(/^wamid\./) });
    },
  );

  it.each(recorded('messages.send_text_handles_error'))('%s: the business number is unknown', async (name) => {
    const outcome = await replay(name, (client) => client.sendMessage('1', token, {}));

    expect(outcome).toMatchObject({
      kind: 'channel',
      scope: 'number',
      error: { code: 100, subcode: 33, httpStatus: 400 },
    });
  });

  it.each(recorded('messages.read_message'))('%s: cannot be marked as read', async (name) => {
    const outcome = await replay(name, (client) => client.markRead('1', token, 'wamid.1'));

    expect(outcome).toMatchObject({
      kind: 'permanent',
      error: { code: 100, detail: expect.stringContaining('message ID') },
    });
  });

  it.each(recorded('medias.media_handles_error'))('%s: a lost file says nothing about the channel', async (name) => {
    const outcome = await replay(name, (client) => client.getMedia('1', token));

    expect(outcome).toMatchObject({ kind: 'permanent', error: { rule: { effect: 'object-missing' } } });
  });

  it.each(recorded('medias.media_with_success'))('%s: address, type, hash and size of a file', async (name) => {
    const outcome = await replay(name, (client) => client.getMedia('1', token));

    expect(outcome).toMatchObject({
      kind: 'ok',
      value: {
        id: '1761991787669262',
        mimeType: 'image/png',
        size: 182859,
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
      usage: { percent: 1, minutesToRegain: 0 },
    });
  });

  it.each(recorded('medias.upload_', 'success'))('%s: the id of an uploaded file', async (name) => {
    const upload = { content: chunks('x'), size: 1, contentType: 'image/png', filename: 'a.png' };
    const outcome = await replay(name, (client) => client.uploadMedia('1', token, upload));

    expect(outcome).toMatchObject({ kind: 'ok', value: { mediaId: expect.stringMatching(/^\d+$/) } });
  });

  it.each(recorded('templates.get_templates--'))('%s: a page that is the last one', async (name) => {
    const pages = await replay(name, (client) => collect(client.listTemplates('1', token)));

    expect(pages).toMatchObject([{ kind: 'last', unreadable: 0 }]);
    expect(pages[0]).toHaveProperty('templates.length', 25);
  });

  it.each(recorded('templates.get_templates_when_empty'))('%s: an empty account is complete', async (name) => {
    const pages = await replay(name, (client) => collect(client.listTemplates('1', token)));

    expect(pages).toMatchObject([{ kind: 'last', templates: [] }]);
  });

  it.each(recorded('templates.get_templates_when_an_error'))('%s: the listing failed', async (name) => {
    const pages = await replay(name, (client) => collect(client.listTemplates('1', token)));

    expect(pages).toMatchObject([{ kind: 'failed', outcome: { kind: 'channel' } }]);
  });

  it.each(recorded('phone_numbers.registered_number_with_success'))('%s: the business number', async (name) => {
    const outcome = await replay(name, (client) => client.getPhoneNumber('107878721936019', token));

    expect(outcome).toMatchObject({
      kind: 'ok',
      value: { displayPhoneNumber: '+1 555-093-4873', qualityRating: 'GREEN', status: 'DISCONNECTED' },
    });
  });

  it.each(recorded('business_account.when_fields'))('%s: the account', async (name) => {
    const outcome = await replay(name, (client) => client.getBusinessAccount('114503234599312', token));

    expect(outcome).toMatchObject({ kind: 'ok', value: { name: 'Test Business Account', reviewStatus: 'APPROVED' } });
  });
});

describe('when it is not known whether a message went out', () => {
  it.each<[string, Answering, string]>([
    ['no answer comes in time', () => undefined, 'timeout'],
    ['the connection breaks', (_request, response) => response.destroy(), 'connection-lost'],
    ['a 502 comes from a proxy', (_request, response) => response.writeHead(502).end('<html>'), 'server-error'],
    ['a proxy gave up waiting', (_request, response) => response.writeHead(408).end(), 'server-error'],
    ['a 200 cannot be read', (_request, response) => response.end('{"messages":[{'), 'unreadable-answer'],
    [
      'a 200 names no message',
      (_request, response) => answerJson(response, 200, { messages: [] }),
      'unreadable-answer',
    ],
  ])('%s', async (_title, answer, reason) => {
    const outcome = await send(answer);

    expect(outcome).toMatchObject({ kind: 'unknown', reason });
  });
});

describe('when a message provably did not go out', () => {
  it('nobody listens', async () => {
    const closed = await startAnswering(() => undefined);
    await closed[Symbol.asyncDispose]();
    await using client = clientOf(closed.url);

    const outcome = await client.sendMessage('1', token, {});

    expect(outcome).toMatchObject({ kind: 'temporary', scope: 'app', error: { code: null, detail: 'ECONNREFUSED' } });
  });

  it('the name does not exist', async () => {
    await using client = clientOf('http://name-that-does-not-exist.invalid');

    const outcome = await client.sendMessage('1', token, {});

    expect(outcome).toMatchObject({ kind: 'temporary', scope: 'app' });
  });

  it('the other side breaks off before the connection is trusted', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    // A listening TCP server has an address with a port.
    await using client = clientOf(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);

    const outcome = await client.sendMessage('1', token, {});

    server.close();
    expect(outcome).toMatchObject({ kind: 'temporary', error: { detail: 'ECONNRESET' } });
  });

  it.each<[number, string, string]>([
    [429, 'temporary', 'app'],
    [302, 'channel', 'app'],
    [401, 'channel', 'app'],
    [404, 'channel', 'app'],
  ])('HTTP %i without an error of Meta: %s', async (status, kind, scope) => {
    const outcome = await send((_request, response) => response.writeHead(status).end('<html>'));

    expect(outcome).toMatchObject({ kind, scope });
  });

  it('HTTP 413 without an error of Meta: permanent', async () => {
    const outcome = await send((_request, response) => response.writeHead(413).end());

    expect(outcome).toMatchObject({ kind: 'permanent', error: { httpStatus: 413 } });
  });

  it('an error of Meta under HTTP 500 is still an error of Meta', async () => {
    const outcome = await send((_request, response) =>
      answerJson(response, 500, { error: { code: 131000, message: 'x' } }),
    );

    expect(outcome).toMatchObject({ kind: 'temporary', scope: 'message' });
  });

  it('an error of Meta under HTTP 200 is still an error', async () => {
    const outcome = await send((_request, response) =>
      answerJson(response, 200, { error: { code: 131026, message: 'x' } }),
    );

    expect(outcome).toMatchObject({ kind: 'permanent', error: { code: 131026 } });
  });
});

describe('throttling', () => {
  it('a limit of calls waits as long as Meta says', async () => {
    const usage = { '1': [{ call_count: 100, total_cputime: 3, total_time: 4, estimated_time_to_regain_access: 7 }] };
    const headers = { 'x-business-use-case-usage': JSON.stringify(usage) };
    const error = { error: { code: 80007, message: 'Rate limit issues' } };

    const outcome = await send((_request, response) => answerJson(response, 400, error, headers));

    const told = { percent: 100, minutesToRegain: 7 };
    expect(outcome).toMatchObject({ kind: 'temporary', scope: 'account', retryAfterMs: 420_000, usage: told });
  });

  it('Retry-After is heeded', async () => {
    const outcome = await send((_request, response) => response.writeHead(429, { 'retry-after': '3' }).end());

    expect(outcome).toMatchObject({ kind: 'temporary', retryAfterMs: 3_000 });
  });
});

it('calls go to the configured version with the token, and a token never comes back in an outcome', async () => {
  const error = { error: { code: 190, message: `Malformed access token ${token}` } };
  await using server = await startAnswering((_request, response) => answerJson(response, 401, error));
  await using client = clientOf(server.url);

  const outcome = await client.sendMessage('107878721936019', token, { type: 'text' });

  expect(server.seen).toMatchObject([
    {
      method: 'POST',
      url: '/v25.0/107878721936019/messages',
      headers: { authorization: `Bearer ${token}` },
      body: '{"type":"text"}',
    },
  ]);
  expect(JSON.stringify(outcome)).not.toContain(token);
});

it('an upload announces its length and keeps type and name of the file', async () => {
  await using server = await startAnswering((_request, response) => answerJson(response, 200, { id: '77' }));
  await using client = clientOf(server.url);

  const upload = { content: chunks('hel', 'lo'), size: 5, contentType: 'audio/ogg', filename: 'na"hlas\r\n.ogg' };
  const outcome = await client.uploadMedia('1', token, upload);

  expect(outcome).toMatchObject({ kind: 'ok', value: { mediaId: '77' } });
  const [seen] = server.seen;
  expect(Number(seen?.headers['content-length'])).toBe(Buffer.byteLength(seen?.body ?? ''));
  expect(seen?.body).toContain(
    'name="file"; filename="na%22hlas%0D%0A.ogg"\r\nContent-Type: audio/ogg\r\n\r\nhello\r\n',
  );
});

it('an upload that is refused half way stops reading the file', async () => {
  await using sandbox = await startSandbox({ webhookUrl: 'http://127.0.0.1:1', appSecret: 's', phoneNumbers: [], log });
  await using client = clientOf(sandbox.url);
  const closed = Promise.withResolvers<string>();
  const content = (async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.alloc(65_536);
    } finally {
      closed.resolve('closed');
    }
  })();

  const upload = { content, size: 100_000_000, contentType: 'application/pdf', filename: 'a.pdf' };
  const outcome = await client.uploadMedia('1', 'wrong-token', upload);

  expect(outcome).toMatchObject({ kind: 'channel', error: { code: 190 } });
  expect(await closed.promise).toBe('closed');
});

describe('a listing of templates', () => {
  it('follows the cursor and never the address that holds the token', async () => {
    await using server = await startAnswering((request, response) => {
      const after = new URL(request.url, 'http://localhost').searchParams.get('after');
      const data = [{ id: 1, name: `t_${after}`, language: 'cs', status: 'APPROVED', category: 'UTILITY' }, { id: 2 }];
      const next = after === 'B' ? {} : { next: 'http://127.0.0.1:1/?access_token=x' };
      answerJson(response, 200, { data, paging: { cursors: { after: after === null ? 'A' : 'B' }, ...next } });
    });
    await using client = clientOf(server.url);

    const pages = await collect(client.listTemplates('1', token));

    expect(pages.map(({ kind }) => kind)).toEqual(['page', 'page', 'last']);
    expect(pages[2]).toMatchObject({
      templates: [{ id: '1', name: 't_B', parameterFormat: 'POSITIONAL' }],
      unreadable: 1,
    });
  });

  it.each([
    ['repeats its cursor', { cursors: { after: 'A' }, next: 'x' }],
    ['has lost its cursor', { next: 'x' }],
  ])('that %s is not complete', async (_title, paging) => {
    await using server = await startAnswering((_request, response) => answerJson(response, 200, { data: [], paging }));
    await using client = clientOf(server.url);

    const pages = await collect(client.listTemplates('1', token));

    expect(pages.at(-1)).toMatchObject({ kind: 'failed', outcome: { kind: 'temporary' } });
  });

  it('that breaks off half way is not complete', async () => {
    let calls = 0;
    await using server = await startAnswering((_request, response) => {
      calls += 1;
      if (calls === 2) return void response.writeHead(502).end();
      return answerJson(response, 200, { data: [], paging: { cursors: { after: 'A' }, next: 'x' } });
    });
    await using client = clientOf(server.url);

    const pages = await collect(client.listTemplates('1', token));

    expect(pages.map(({ kind }) => kind)).toEqual(['page', 'failed']);
  });
});

async function replay<T>(name: string, call: (client: MetaClient) => Promise<T>): Promise<T> {
  // Every recording has this shape.
  const { response: recording } = fixture(`graph-api/recorded/${name}`) as Recorded;
  const headers = Object.entries(recording.headers).filter(([header]) => header !== 'Content-Length');
  await using server = await startAnswering((_request, response) =>
    answerJson(response, recording.status, recording.body, Object.fromEntries(headers)),
  );
  await using client = clientOf(server.url);
  return await call(client);
}

async function collect(listing: AsyncIterable<TemplateListing>): Promise<TemplateListing[]> {
  const pages: TemplateListing[] = [];
  for await (const page of listing) pages.push(page);
  return pages;
}

async function send(answer: Answering): Promise<unknown> {
  await using server: AnsweringServer = await startAnswering(answer);
  await using client = clientOf(server.url);
  return await client.sendMessage('1', token, {});
}

function clientOf(baseUrl: string): MetaClient {
  return createMetaClient({ baseUrl, version: 'v25.0', timeoutMs: 400, tracing: noTracing, log });
}

/** Names of the recordings that begin so and, where more is given, contain one of these. */
function recorded(start: string, ...contain: string[]): string[] {
  const names = fixtureNames('graph-api/recorded').filter((name) => name.startsWith(start));
  const isError = (name: string): boolean => name.includes('error') && contain.length > 0;
  const found = names.filter(
    (name) => !isError(name) && (contain.length === 0 || contain.some((part) => name.includes(part))),
  );
  return found.filter((name) => !name.includes('typing'));
}

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}
