import type { Task } from 'graphile-worker';
import { z } from 'zod';
import type { FileStore } from '../files/file-store.ts';

const work = z.object({ storageKeys: z.array(z.string()) });

/** Takes away what no row speaks of any more; done again from the beginning where it breaks off. */
export function createRemovalTask({ files }: { files: FileStore }): Task {
  return async (payload) => {
    for (const key of work.parse(payload).storageKeys) await files.remove(key);
  };
}
