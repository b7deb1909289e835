import { pino } from 'pino';
import { fetch, Agent } from 'undici';
import { describe, expect, it } from 'vitest';
import { guardedLookup, isMediaUrlAllowed, isPrivateAddress, isPrivateLiteral } from '../src/meta/addresses.ts';
import { createMetaClient } from '../src/meta/client.ts';
import type { MetaClient } from '../src/meta/client.ts';
import { MediaTooLargeError } from '../src/meta/download.ts';
import { noTracing } from '../src/tracing/tracing.ts';
import { startAnswering } from './support/http-answers.ts';

const log = pino({ level: 'silent' });
const token = 'secret-token';

describe('an address of a file', () => {
  const base = new URL('https://graph.facebook.com');

  it.each([
    ['https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1', true],
    ['https://graph.facebook.com/v25.0/1', true],
    ['http://lookaside.fbsbx.com/', false],
    ['https://lookaside.fbsbx.com:8443/', false],
    ['https://user:pass@lookaside.fbsbx.com/', false],
    ['https://fbsbx.com.evil.example/', false],
    ['https://evilfbsbx.com/', false],
    ['https://127.0.0.1/', false],
    ['https://[::1]/', false],
    ['file:///etc/passwd', false],
  ])('%s is allowed: %s', (url, isAllowed) => {
    expect(isMediaUrlAllowed(new URL(url), base)).toBe(isAllowed);
  });

  it('of the sandbox is allowed only with its own port and scheme', () => {
    const sandbox = new URL('http://127.0.0.1:4010');

    expect(isMediaUrlAllowed(new URL('http://127.0.0.1:4010/file'), sandbox)).toBe(true);
    expect(isMediaUrlAllowed(new URL('http://127.0.0.1:4011/file'), sandbox)).toBe(false);
    expect(isMediaUrlAllowed(new URL('https://127.0.0.1:4010/file'), sandbox)).toBe(false);
  });
});

describe('a private address', () => {
  it.each([
    '10.1.2.3',
    '127.0.0.1',
    '169.254.169.254',
    '172.31.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '::1',
    '::',
    'fc00::1',
    'fe80::1',
    '::ffff:10.0.0.1',
    '::ffff:a00:1',
    '64:ff9b::a00:1',
    'ff02::1',
  ])('%s', (address) => {
    expect(isPrivateAddress(address)).toBe(true);
    expect(isPrivateLiteral(address.includes(':') ? `[${address}]` : address)).toBe(true);
  });

  it.each(['157.240.1.1', '172.32.0.1', '2a03:2880:f003::1', '::ffff:157.240.1.1'])('is not %s', (address) => {
    expect(isPrivateAddress(address)).toBe(false);
  });

  it('behind a name is refused while connecting', async () => {
    await using server = await startAnswering((_request, response) => response.end('secret'));
    const dispatcher = new Agent({ connect: { lookup: guardedLookup } });

    const fetched = fetch(server.url.replace('127.0.0.1', 'localhost'), { dispatcher });

    await expect(fetched).rejects.toMatchObject({ cause: { code: 'PRIVATE_ADDRESS' } });
    expect(server.seen).toEqual([]);
  });
});

describe('a download', () => {
  it('streams the file with its type and size', async () => {
    await using server = await startAnswering((_request, response) =>
      response.writeHead(200, { 'content-type': 'image/png', 'content-length': '5' }).end('hello'),
    );
    await using client = clientOf(server.url);

    const outcome = await client.downloadMedia(`${server.url}/file`, token, { maxBytes: 5 });

    if (outcome.kind !== 'ok') throw new Error(outcome.kind);
    expect(outcome.value).toMatchObject({ contentType: 'image/png', size: 5 });
    expect(Buffer.concat(await outcome.value.content.toArray()).toString()).toBe('hello');
    expect(server.seen).toMatchObject([{ headers: { authorization: `Bearer ${token}` } }]);
  });

  it('stops at the limit even if a smaller length or none was announced', async () => {
    await using server = await startAnswering(
      (_request, response) => void (response.write('hello'), response.end('world')),
    );
    await using client = clientOf(server.url);

    const outcome = await client.downloadMedia(`${server.url}/file`, token, { maxBytes: 7 });

    if (outcome.kind !== 'ok') throw new Error(outcome.kind);
    await expect(outcome.value.content.toArray()).rejects.toBeInstanceOf(MediaTooLargeError);
  });

  it('is not begun when the announced length is too much', async () => {
    await using server = await startAnswering((_request, response) =>
      response.writeHead(200, { 'content-length': 9 }).end('x'.repeat(9)),
    );
    await using client = clientOf(server.url);

    const outcome = await client.downloadMedia(`${server.url}/file`, token, { maxBytes: 8 });

    expect(outcome).toMatchObject({ kind: 'permanent', error: { title: 'The file is larger than 8 bytes' } });
  });

  it('never carries the token along a redirect', async () => {
    await using elsewhere = await startAnswering((_request, response) => response.end('x'));
    await using server = await startAnswering((_request, response) =>
      response.writeHead(302, { location: elsewhere.url }).end(),
    );
    await using client = clientOf(server.url);

    const outcome = await client.downloadMedia(`${server.url}/file`, token, { maxBytes: 8 });

    expect(outcome.kind).toBe('permanent');
    expect(elsewhere.seen).toEqual([]);
  });

  it.each(['https://example.com/file', 'http://127.0.0.1:1/file', 'not an address'])(
    'of %s is refused',
    async (url) => {
      await using client = clientOf('http://127.0.0.1:4010');

      const outcome = await client.downloadMedia(url, token, { maxBytes: 8 });

      expect(outcome).toMatchObject({
        kind: 'permanent',
        error: { title: 'The file is not at an address of WhatsApp' },
      });
    },
  );

  it.each([401, 404, 500])('answered with HTTP %i is tried again', async (status) => {
    await using server = await startAnswering((_request, response) => response.writeHead(status).end());
    await using client = clientOf(server.url);

    const outcome = await client.downloadMedia(`${server.url}/file`, token, { maxBytes: 8 });

    expect(outcome.kind).toBe('temporary');
  });
});

function clientOf(baseUrl: string): MetaClient {
  return createMetaClient({ baseUrl, version: 'v25.0', timeoutMs: 1_000, tracing: noTracing, log });
}
