import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './support/server.ts';
import { transports } from './support/transports.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});

afterAll(() => server[Symbol.asyncDispose]());

/** Whoever comes next is answered. */
async function expectUnharmed(): Promise<void> {
  const { data } = await transports.ws(server, await server.tokenOf('boris'), { query: '{ serverTime }' });
  expect(data).toMatchObject({ serverTime: expect.any(String) });
}

describe('a socket', () => {
  const FRAGMENTS = 100_000;
  /** A frame of one byte that another will continue: masked, as clients have to. */
  const fragment = (isFirst: boolean) => Buffer.from([isFirst ? 0x01 : 0x00, 0x81, 1, 2, 3, 4, 0x61]);

  it('that sends a message in fragments without end is closed, and holds no memory', async () => {
    const { socket, received } = await openByHand({ 'sec-websocket-protocol': 'graphql-transport-ws' });
    const before = process.memoryUsage().rss;
    const all = Buffer.concat(Array.from({ length: FRAGMENTS }, (_, index) => fragment(index === 0)));
    socket.write(all);
    await once(socket, 'close', { signal: AbortSignal.timeout(20_000) });

    expect(closeCodeOf(received())).toBe(1008);
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * 2 ** 20);
    await expectUnharmed();
  });

  it.each([
    ['three thousand headers', Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => [`x-${n}`, 'y']))],
    ['a protocol of 200 kB', { 'sec-websocket-protocol': 'a,'.repeat(100_000) }],
  ])('that asks with %s is refused before anything is read of it', async (_what, headers) => {
    await expect(openByHand(headers)).rejects.toThrow('HTTP/1.1 431');
    await expectUnharmed();
  });
});

describe('a request for a socket that is refused', () => {
  const refused: [how: string, path: string, headers: Record<string, string>][] = [
    ['because nothing is there', '/metrics', {}],
    ['because of its origin', '/graphql', { origin: 'https://evil.example' }],
  ];

  it.each(refused)('%s harms nobody when it breaks off', async (_how, path, headers) => {
    for (let count = 0; count < 100; count++) {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => {});
      socket.write(upgradeTo(path, headers), () => setTimeout(() => socket.resetAndDestroy(), count % 3));
      await once(socket, 'close');
    }

    await expect(expectUnharmed()).resolves.toBeUndefined();
  });

  it.each(refused)('%s is hung up on, though the other side does not hang up', async (_how, path, headers) => {
    const socket = connect({ port: Number(new URL(server.url).port), host: '127.0.0.1', allowHalfOpen: true });
    socket.write(upgradeTo(path, headers));
    await once(socket.resume(), 'end', { signal: AbortSignal.timeout(5_000) });

    // Nobody takes what is said now.
    const beat = setInterval(() => socket.write('x'), 20);
    const [error] = await once(socket, 'error', { signal: AbortSignal.timeout(5_000) }).finally(() =>
      clearInterval(beat),
    );

    expect((error as NodeJS.ErrnoException).code).toMatch(/^(ECONNRESET|EPIPE)$/);
  });
});

describe('the page of GraphiQL', () => {
  it('loads nothing from elsewhere', async () => {
    const page = await fetch(`${server.url}/graphql`, { headers: { accept: 'text/html' } });
    const html = await page.text();
    const loaded = [...html.matchAll(/<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)="([^"]*)"/g)].map(
      ([, address]) => address,
    );

    expect(html).toContain('<script');
    expect(loaded.filter((address) => /^(https?:)?\/\//.test(address ?? ''))).toEqual([]);
  });
});

/** The upgrade in bytes of our own, so that frames can be, too. Rejects with the answer where it is refused. */
async function openByHand(headers: Record<string, string>): Promise<{ socket: Socket; received: () => Buffer }> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  socket.write(upgradeTo('/graphql', headers));
  await once(socket, 'data', { signal: AbortSignal.timeout(10_000) });
  const [status = ''] = Buffer.concat(chunks).toString('latin1').split('\r\n');
  if (!status.includes(' 101 ')) throw new Error(status);
  chunks.splice(0);
  return { socket, received: () => Buffer.concat(chunks) };
}

function upgradeTo(path: string, headers: Record<string, string>): string {
  const lines = Object.entries({
    host: '127.0.0.1',
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': Buffer.alloc(16).toString('base64'),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}`);
  return `GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

/** Of the last frame, where that is one that closes. */
function closeCodeOf(bytes: Buffer): number | null {
  const at = bytes.lastIndexOf(0x88);
  return at === -1 ? null : bytes.readUInt16BE(at + 2);
}

it('an idle connection outlasts that of a proxy before the server', async () => {
  const answer = await fetch(`${server.url}/healthz`);
  const [, seconds] = /timeout=(\d+)/.exec(answer.headers.get('keep-alive') ?? '') ?? [];

  expect(Number(seconds)).toBeGreaterThan(60);
});
