import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Storage } from './file-store.ts';

/** For one machine, or several that share a folder. */
export function createDiskStore(folder: string): Storage {
  return {
    async put(key, file) {
      const path = pathOf(folder, key);
      await mkdir(dirname(path), { recursive: true });
      await rename(file.path, path);
      await flush(dirname(path));
    },
    async open(key, range) {
      const file = await openFile(pathOf(folder, key));
      return file?.createReadStream(range) ?? null;
    },
    async remove(key) {
      await rm(pathOf(folder, key), { force: true });
    },
  };
}

const KEY = /^[a-z0-9-]+(\/[a-z0-9-]+)*$/;

function pathOf(folder: string, key: string): string {
  if (!KEY.test(key)) throw new Error('a key of a file may have small letters, digits, dashes and slashes only');
  return join(folder, key);
}

/** The name, too, must outlive a power cut. */
async function flush(folder: string): Promise<void> {
  await using handle = await open(folder);
  await handle.sync();
}

async function openFile(path: string): Promise<FileHandle | null> {
  try {
    return await open(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
