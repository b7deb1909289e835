import { Readable } from 'node:stream';
import { parse } from 'content-disposition';
import { gql } from 'graphql-request';
import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attachmentKey, createFileStore, type FileStore } from '../src/files/file-store.ts';
import { startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;
let files: FileStore;

beforeAll(async () => {
  server = await startTestServer({ settings: { CORS_ORIGINS: 'https://desk.example' } });
  files = await createFileStore(server.env);
});

afterAll(() => server[Symbol.asyncDispose]());

const ATTACHMENT = gql`
  query Attachment($id: ID!, $seconds: Int) {
    node(id: $id) {
      ... on Attachment {
        url(expiresInSeconds: $seconds)
        expiresAt
      }
    }
  }
`;
type Found = { node: { url: string | null; expiresAt: string | null } };

async function keep(told: { mimeType: string; fileName?: string; content?: string }): Promise<string> {
  const id = uuid();
  await using file = await files.receive(Readable.from([Buffer.from(told.content ?? 'content')]), { maxBytes: 1000 });
  await files.put(attachmentKey(id), file);
  await server.sql(
    `INSERT INTO attachment (id, file_name, mime_type, byte_size, sha256, state, storage_key)
     VALUES ($1, $2, $3, $4, $5, 'AVAILABLE', $6)`,
    [id, told.fileName ?? null, told.mimeType, file.size, file.sha256, attachmentKey(id)],
  );
  return Buffer.from(`Attachment:${id}`).toString('base64');
}

async function linkTo(id: string, seconds?: number): Promise<string> {
  const { node } = await (await server.as('cyril')).request<Found>(ATTACHMENT, { id, seconds });
  return node.url ?? '';
}

function disposition(answer: Response) {
  // The parameters have no prototype, which a comparison would see.
  const { type, parameters } = parse(answer.headers.get('content-disposition') ?? '');
  return { type, parameters: { ...parameters } };
}

describe('a link to a file', () => {
  it('needs no log-in and gives the file', async () => {
    const url = await linkTo(await keep({ mimeType: 'image/png', fileName: 'účet č. 1.png' }));

    const answer = await fetch(url);

    expect([answer.status, await answer.text()]).toEqual([200, 'content']);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'image/png',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'referrer-policy': 'no-referrer',
      'content-length': '7',
    });
    expect(disposition(answer)).toEqual({ type: 'inline', parameters: { filename: 'účet č. 1.png' } });
  });

  it.each([
    ['another file', (url: URL) => (url.pathname = url.pathname.replace(/.{12}$/, '000000000000'))],
    ['a longer life', (url: URL) => url.searchParams.set('expires', '99999999999')],
    ['no end', (url: URL) => url.searchParams.delete('expires')],
    ['another signature', (url: URL) => url.searchParams.set('signature', 'AAAA')],
    ['no signature', (url: URL) => url.searchParams.delete('signature')],
    ['a path out of the folder', (url: URL) => (url.pathname = '/files/../healthz/x')],
  ])('cannot be changed to %s', async (_case, change) => {
    const url = new URL(await linkTo(await keep({ mimeType: 'image/png' })));
    change(url);

    expect([403, 404]).toContain((await fetch(url)).status);
  });

  it('runs out', async () => {
    const url = await linkTo(await keep({ mimeType: 'image/png' }), 4);
    const endsAt = Number(new URL(url).searchParams.get('expires')) * 1000;

    expect((await fetch(url)).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, endsAt - Date.now() + 5));

    expect((await fetch(url)).status).toBe(403);
  });

  it.each([0, 3601, -1])('cannot be asked for %i seconds', async (seconds) => {
    const id = await keep({ mimeType: 'image/png' });

    await expect(linkTo(id, seconds)).rejects.toThrow('A link lives 1 to 3600 seconds.');
  });

  it('is null while there is no file', async () => {
    const id = uuid();
    await server.sql(`INSERT INTO attachment (id, mime_type, state) VALUES ($1, 'image/png', 'FETCHING')`, [id]);

    expect(await linkTo(Buffer.from(`Attachment:${id}`).toString('base64'))).toBe('');
  });

  it('to a file that was erased answers 404', async () => {
    const id = await keep({ mimeType: 'image/png' });
    const url = await linkTo(id);
    await files.remove(attachmentKey(Buffer.from(id, 'base64').toString().slice('Attachment:'.length)));

    expect((await fetch(url)).status).toBe(404);
  });

  it.each([
    ['text/html', 'application/octet-stream'],
    ['image/svg+xml', 'application/octet-stream'],
    ['application/xhtml+xml', 'application/octet-stream'],
    ['text/javascript; charset=utf-8', 'application/octet-stream'],
    ['not a type\r\nx: y', 'application/octet-stream'],
    ['application/pdf', 'application/pdf'],
    ['text/plain', 'text/plain'],
  ])('never shows %s inside the page', async (mimeType, contentType) => {
    const answer = await fetch(await linkTo(await keep({ mimeType, content: '<script>alert(1)</script>' })));

    expect(answer.headers.get('content-type')).toBe(contentType);
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment;/);
  });

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\temp\\invoice.pdf', 'invoice.pdf'],
    ['evil\u202Efdp.exe', 'evilfdp.exe'],
    ['a"b\r\nx: y.txt', 'a"bx: y.txt'],
    ['', 'attachment.txt'],
  ])('offers %j under a harmless name', async (fileName, shown) => {
    const answer = await fetch(await linkTo(await keep({ mimeType: 'text/plain', fileName })));

    expect(disposition(answer)).toEqual({ type: 'attachment', parameters: { filename: shown } });
  });

  it.each([
    ['bytes=0-3', 206, 'cont', 'bytes 0-3/7'],
    ['bytes=-2', 206, 'nt', 'bytes 5-6/7'],
    ['bytes=4-', 206, 'ent', 'bytes 4-6/7'],
    ['bytes=0-1,3-4', 200, 'content', null],
    ['nonsense', 200, 'content', null],
    ['bytes=9-', 416, 'The file is shorter than that.', 'bytes */7'],
  ])('gives the part %s', async (range, status, text, contentRange) => {
    const answer = await fetch(await linkTo(await keep({ mimeType: 'video/mp4' })), { headers: { range } });

    expect([answer.status, await answer.text(), answer.headers.get('content-range')]).toEqual([
      status,
      text,
      contentRange,
    ]);
  });

  it('answers HEAD, a known checksum and listed origins, and refuses other methods', async () => {
    const url = await linkTo(await keep({ mimeType: 'image/png' }));

    const head = await fetch(url, { method: 'HEAD', headers: { origin: 'https://desk.example' } });
    const known = await fetch(url, { headers: { 'if-none-match': head.headers.get('etag') ?? '' } });
    const foreign = await fetch(url, { headers: { origin: 'https://evil.example' } });
    const post = await fetch(url, { method: 'POST' });

    expect([head.status, head.headers.get('content-length')]).toEqual([200, '7']);
    expect(head.headers.get('access-control-allow-origin')).toBe('https://desk.example');
    expect(known.status).toBe(304);
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
    expect(post.status).toBe(405);
  });
});
