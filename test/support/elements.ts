export type Element = { list: Record<string | number, unknown>; index: string | number };

/** The places of all elements of a sample, found without the parser's code. */
export function elementsOf(body: unknown): Element[] {
  return placesIn(at(body, 'entry')).flatMap(({ list, index }) =>
    placesIn(at(list[index], 'changes')).flatMap(elementsOfChange),
  );
}

function elementsOfChange(change: Element): Element[] {
  const value = at(change.list[change.index], 'value');
  const belongsToAccount = at(value, 'metadata') === undefined;
  if (belongsToAccount) return [change];
  const lists = Object.entries(value ?? {}).filter(([key]) => key !== 'contacts' && key !== 'metadata');
  const elements = lists.flatMap(([key, list]) =>
    key === 'history' ? placesIn(list).flatMap(elementsOfChunk) : placesIn(list),
  );
  return elements.length > 0 ? elements : [change];
}

function elementsOfChunk({ list, index }: Element): Element[] {
  return placesIn(at(list[index], 'threads')).flatMap((thread) => placesIn(at(thread.list[thread.index], 'messages')));
}

/** A change that counts as one element, because it concerns the account. */
export function isChange(element: unknown): boolean {
  return typeof at(element, 'value') === 'object';
}

export function placesIn(list: unknown): Element[] {
  if (typeof list !== 'object' || list === null) return [];
  // A list or an object: both are read by their keys.
  return Object.keys(list).map((index) => ({ list: list as Record<string, unknown>, index }));
}

export function at(value: unknown, key: string): unknown {
  // Anything but an object has no such key.
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
