import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** Where we stood when the program ended last; null at the very first start. */
export function readCursor(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim() || null;
  } catch {
    return null;
  }
}

/** Written beside and renamed, so that a crash leaves the old one or the new one. */
export function writeCursor(path: string, cursor: string): void {
  writeFileSync(`${path}.new`, cursor);
  renameSync(`${path}.new`, path);
}

/** Events come at least once: those that were shown already are known by their id. */
export function createSeen(max = 10_000): (eventId: string) => boolean {
  const seen = new Set<string>();
  return (eventId) => {
    if (seen.has(eventId)) return true;
    seen.add(eventId);
    for (const oldest of seen) if (seen.size > max) seen.delete(oldest);
    return false;
  };
}
