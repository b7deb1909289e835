import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadEnv, type Env } from '../src/env.ts';
import { attachmentKey, createFileStore, type FileStore } from '../src/files/file-store.ts';
import { s3Access, startS3, type S3StandIn } from './support/s3.ts';

let dataDir: string;
let s3: S3StandIn;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'cdesk-files-'));
  s3 = await startS3();
});

afterAll(async () => {
  await s3[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true });
});

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const maxBytes = 1_000_000;

function envOf(store: string, secret = s3Access.secretAccessKey): Env {
  return loadEnv({
    DATA_DIR: dataDir,
    FILE_STORE: store,
    S3_BUCKET_URL: s3.bucketUrl,
    S3_REGION: s3Access.region,
    S3_ACCESS_KEY_ID: s3Access.accessKeyId,
    S3_SECRET_ACCESS_KEY: secret,
  });
}

async function keep(files: FileStore, key: string, content: Buffer): Promise<void> {
  await using file = await files.receive(chunksOf(content), { maxBytes });
  await files.put(key, file);
}

async function* chunksOf(content: Buffer) {
  for (let at = 0; at < content.length; at += 10_000) yield content.subarray(at, at + 10_000);
}

describe.each(['disk', 's3'])('files on %s', (kind) => {
  let files: FileStore;
  const key = attachmentKey('0199d0a1-0000-7000-8000-0000000000ab');
  const content = randomBytes(100_000);

  beforeAll(async () => {
    files = await createFileStore(envOf(kind));
  });

  it('come back as they were put, whole and in parts', async () => {
    await keep(files, key, content);

    const whole = await files.open(key);
    const part = await files.open(key, { start: 10, end: 19 });

    expect(whole && (await buffer(whole)).equals(content)).toBe(true);
    expect(part && (await buffer(part)).equals(content.subarray(10, 20))).toBe(true);
  });

  it('are replaced under the same key', async () => {
    await keep(files, key, Buffer.from('first'));
    await keep(files, key, Buffer.from('second'));

    const found = await files.open(key);

    expect(found && (await buffer(found)).toString()).toBe('second');
  });

  it('may be empty', async () => {
    await keep(files, 'attachments/00/empty', Buffer.alloc(0));

    const found = await files.open('attachments/00/empty');

    expect(found && (await buffer(found)).length).toBe(0);
  });

  it('are gone once removed, and removing again is fine', async () => {
    await keep(files, key, content);

    await files.remove(key);
    await files.remove(key);

    expect(await files.open(key)).toBeNull();
  });

  it('are described by their bytes: size, checksum and type', async () => {
    await using file = await files.receive(chunksOf(png), { maxBytes });
    await using text = await files.receive(chunksOf(Buffer.from('<script>')), { maxBytes });

    expect(file).toMatchObject({
      size: png.length,
      sha256: createHash('sha256').update(png).digest('hex'),
      detectedType: 'image/png',
    });
    expect(text.detectedType).toBeNull();
  });

  it('leave nothing behind when they are too large, break off, or are not wanted', async () => {
    async function* broken() {
      yield Buffer.from('half');
      throw new Error('the connection broke');
    }

    await expect(files.receive(chunksOf(content), { maxBytes: 99_999 })).rejects.toThrow('larger than 99999 bytes');
    await expect(files.receive(broken(), { maxBytes })).rejects.toThrow('the connection broke');
    await (await files.receive(chunksOf(png), { maxBytes }))[Symbol.asyncDispose]();

    expect(await readdir(join(dataDir, 'incoming'))).toEqual([]);
  });
});

it('what a killed process was receiving is removed after a day', async () => {
  const [old, fresh] = ['old', 'fresh'].map((name) => join(dataDir, 'incoming', name));
  await writeFile(old ?? '', 'x');
  await writeFile(fresh ?? '', 'x');
  const yesterday = new Date(Date.now() - 25 * 60 * 60 * 1000);
  await utimes(old ?? '', yesterday, yesterday);

  await createFileStore(envOf('disk'));

  expect(await readdir(join(dataDir, 'incoming'))).toEqual(['fresh']);
  await rm(fresh ?? '');
});

it('a key cannot lead out of the folder', async () => {
  const files = await createFileStore(envOf('disk'));

  await expect(files.open('../secrets.json')).rejects.toThrow('a key of a file');
});

describe('the S3 store', () => {
  it('is asked again when it is busy', async () => {
    const files = await createFileStore(envOf('s3'));
    s3.failures.push(503, 500);

    await keep(files, 'attachments/00/busy', png);

    expect(s3.objects.get('/bucket/attachments/00/busy')).toEqual(png);
  });

  it('refuses a wrong secret, and the error does not tell it', async () => {
    const files = await createFileStore(envOf('s3', 'not the secret'));

    const refused = await keep(files, 'attachments/00/no', png).catch((error: unknown) => error);

    expect(String(refused)).toContain('HTTP 403 SignatureDoesNotMatch');
    expect(JSON.stringify(refused)).not.toContain('not the secret');
  });

  it('must be configured whole', () => {
    expect(() => loadEnv({ DATA_DIR: dataDir, FILE_STORE: 's3', S3_BUCKET_URL: s3.bucketUrl })).toThrow(
      /S3_ACCESS_KEY_ID must be set where FILE_STORE is s3\n- S3_SECRET_ACCESS_KEY/,
    );
  });
});
