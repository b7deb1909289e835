import { patternOf } from './identifiers.ts';

/** Lists that only hold other lists; the elements of all others are what a delivery tells: a message, a status. */
const CONTAINERS = new Set(['entry', 'changes']);

/**
 * A raw delivery without what it says of this person. Others in the same delivery stay, so that it can still be
 * replayed for them; what cannot be taken apart is emptied.
 */
export function withoutPerson(body: Buffer, identifiers: readonly string[]): Buffer {
  const pattern = new RegExp(patternOf(identifiers));
  const names = (value: unknown) => pattern.test(JSON.stringify(value) ?? '');
  try {
    const rest = pruned(JSON.parse(body.toString('utf8')), names);
    return Buffer.from(names(rest) ? '{}' : JSON.stringify(rest));
  } catch {
    return Buffer.from('{}');
  }
}

function pruned(value: unknown, names: (value: unknown) => boolean): unknown {
  if (typeof value !== 'object' || value === null || !names(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      if (!Array.isArray(item)) return [key, pruned(item, names)];
      const rest = CONTAINERS.has(key) ? item.map((element) => pruned(element, names)) : item;
      return [key, rest.filter((element) => !names(element))];
    }),
  );
}
