import { createHash } from 'node:crypto';
import type { Random } from './random.ts';

export type StoredMedia = {
  id: string;
  content: Uint8Array;
  mimeType: string;
  filename: string | null;
  /** Lower-case hexadecimal digits. */
  sha256: string;
};

export type MediaStore = {
  add(media: Omit<StoredMedia, 'id' | 'sha256'>): StoredMedia;
  get(id: string): StoredMedia | undefined;
  remove(id: string): boolean;
};

/** The oldest files go first when more than this is held. */
const maxHeldBytes = 512_000_000;

export function createMediaStore(random: Random): MediaStore {
  const files = new Map<string, StoredMedia>();
  let heldBytes = 0;

  const remove = (id: string): boolean => {
    heldBytes -= files.get(id)?.content.byteLength ?? 0;
    return files.delete(id);
  };

  return {
    add({ content, mimeType, filename }) {
      const sha256 = createHash('sha256').update(content).digest('hex');
      const media = { id: `1${random.digits(15)}`, content, mimeType, filename, sha256 };
      files.set(media.id, media);
      heldBytes += content.byteLength;
      for (const [oldest] of files) if (heldBytes > maxHeldBytes && oldest !== media.id) remove(oldest);
      return media;
    },
    get: (id) => files.get(id),
    remove,
  };
}
