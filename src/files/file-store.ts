import type { Readable } from 'node:stream';
import { join } from 'node:path';
import type { Env } from '../env.ts';
import { createDiskStore } from './disk-store.ts';
import { createS3Store } from './s3-store.ts';
import { clearSpool, spool, type SpooledFile } from './spool.ts';

/** First and last byte, both included. */
export type ByteRange = { start: number; end: number };

/** Where the bytes of files are kept. Keys are ours, never a name that somebody sent. */
export type Storage = {
  /** Whole and durable, or not at all; a second time with the same key replaces. */
  put(key: string, file: SpooledFile): Promise<void>;
  /** Null where there is no such file. */
  open(key: string, range?: ByteRange): Promise<Readable | null>;
  /** A missing file is fine. */
  remove(key: string): Promise<void>;
};

/**
 * The files of attachments. What comes in is received first, so that its size, checksum and type can be looked at
 * before it is put under a key: `await using file = await files.receive(content, { maxBytes })`.
 */
export type FileStore = Storage & {
  /** Reads the content to its end. Throws `FileTooLargeError`; disposing removes what was not put anywhere. */
  receive(content: AsyncIterable<Uint8Array>, limits: { maxBytes: number }): Promise<SpooledFile>;
};

export async function createFileStore(env: Env): Promise<FileStore> {
  const folder = join(env.dataDir, 'incoming');
  await clearSpool(folder);
  const storage = createStorage(env);
  return { ...storage, receive: (content, { maxBytes }) => spool(folder, content, maxBytes) };
}

function createStorage(env: Env): Storage {
  const { s3BucketUrl, s3AccessKeyId, s3SecretAccessKey } = env;
  if (env.fileStore === 'disk' || !s3BucketUrl || !s3AccessKeyId || !s3SecretAccessKey) {
    return createDiskStore(join(env.dataDir, 'files'));
  }
  return createS3Store({
    bucketUrl: s3BucketUrl,
    region: env.s3Region,
    accessKeyId: s3AccessKeyId,
    secretAccessKey: s3SecretAccessKey,
    timeoutMs: env.s3TimeoutMs,
  });
}

/** Spread over 256 folders; version 7 ids begin with the time, so that only their end is spread evenly. */
export function attachmentKey(attachmentId: string): string {
  return `attachments/${attachmentId.slice(-2)}/${attachmentId}`;
}

export function exportKey(exportId: string): string {
  return `exports/${exportId}`;
}
