import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileTypeFromFile } from 'file-type';

/** A file that is here whole, but not kept yet. */
export type SpooledFile = AsyncDisposable & {
  path: string;
  /** Bytes. */
  size: number;
  /** Lower-case hex. */
  sha256: string;
  /** The type that the bytes show, whatever was announced; null for text and what nobody knows. */
  detectedType: string | null;
};

export class FileTooLargeError extends Error {
  override readonly name = 'FileTooLargeError';

  constructor(maxBytes: number) {
    super(`The file is larger than ${maxBytes} bytes`);
  }
}

const LEFT_OVER_MS = 24 * 60 * 60 * 1000;

export async function spool(
  folder: string,
  content: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<SpooledFile> {
  const path = join(folder, randomUUID());
  const remove = () => rm(path, { force: true });
  const hash = createHash('sha256');
  let size = 0;
  async function* measured() {
    for await (const chunk of content) {
      size += chunk.byteLength;
      if (size > maxBytes) throw new FileTooLargeError(maxBytes);
      hash.update(chunk);
      yield chunk;
    }
  }
  try {
    await pipeline(Readable.from(measured()), createWriteStream(path, { flush: true, mode: 0o600 }));
    const detected = await fileTypeFromFile(path);
    return {
      path,
      size,
      sha256: hash.digest('hex'),
      detectedType: detected?.mime ?? null,
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** What a killed process was receiving. Another one may be receiving now, so that only what is old goes. */
export async function clearSpool(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => null);
    if (found && found.mtimeMs < Date.now() - LEFT_OVER_MS) await rm(path, { force: true });
  }
}
