import type { Item, UnknownItem } from '../services/receiving/items.ts';
import { asElements } from './lenient.ts';

/** One item for each element. Each is read alone: one that cannot be read leaves its neighbours as they are. */
export function readEach(
  list: unknown,
  path: string,
  field: string | null,
  read: (element: unknown, path: string) => Item,
): Item[] {
  return asElements(list).map((element, index) => {
    const here = `${path}[${index}]`;
    try {
      return read(element, here);
    } catch {
      return unknown(here, field, 'it could not be read');
    }
  });
}

export function unknown(path: string, field: string | null, why: string): UnknownItem {
  return { type: 'unknown', path, field, why };
}
