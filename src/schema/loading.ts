import DataLoader from 'dataloader';

export type Makers<Loaders, Source> = { [Name in keyof Loaders]: (source: Source) => Loaders[Name] };

/** Loaders that are made when they are first asked for: an operation needs few of them, and there are many. */
export function lazily<Loaders extends object, Source>(makers: Makers<Loaders, Source>): (source: Source) => Loaders {
  class Lazy {
    readonly source: Source;
    constructor(source: Source) {
      this.source = source;
    }
  }
  for (const [name, make] of Object.entries<(source: Source) => unknown>(makers))
    Object.defineProperty(Lazy.prototype, name, {
      get(this: Lazy): unknown {
        const value = make(this.source);
        Object.defineProperty(this, name, { value });
        return value;
      },
    });
  // The prototype has a getter for each of them.
  return (source) => new Lazy(source) as unknown as Loaders;
}

/** One row per key, or null. */
export function byRow<Row>(
  load: (keys: string[]) => Promise<Row[]>,
  keyOf: (row: Row) => string,
): DataLoader<string, Row | null> {
  return new DataLoader(async (keys) => {
    const rows = new Map((await load([...keys])).map((row) => [keyOf(row), row]));
    return keys.map((key) => rows.get(key) ?? null);
  });
}

/** All rows of each key, in the order in which they were read. */
export function grouped<Row>(
  load: (keys: string[]) => Promise<Row[]>,
  keyOf: (row: Row) => string | null,
): DataLoader<string, Row[]> {
  return groupedValues(load, keyOf, (row) => row);
}

/** The same for rows of a table between two others, of which only the far end is wanted. */
export function groupedValues<Row, Value>(
  load: (keys: string[]) => Promise<Row[]>,
  keyOf: (row: Row) => string | null,
  valueOf: (row: Row) => Value,
): DataLoader<string, Value[]> {
  return new DataLoader(async (keys) => {
    const rows = Map.groupBy(await load([...keys]), keyOf);
    return keys.map((key) => (rows.get(key) ?? []).map(valueOf));
  });
}
