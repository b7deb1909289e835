import DataLoader from 'dataloader';

/** Nobody waits longer than this for what others asked: their connection may be a dead one. */
const MAX_WAIT_MS = 50;

/**
 * Reads single rows for many who ask at once: whoever asks while a statement is under way shares the next one. That one
 * begins after they asked, so that they see as much as by a statement of their own.
 */
export function shareReads<Row>(
  read: (keys: readonly string[]) => Promise<readonly Row[]>,
  keyOf: (row: Row) => string,
): (key: string) => Promise<Row | null> {
  let underWay: Promise<unknown> = Promise.resolve();
  const loader = new DataLoader<string, Row | null>(
    async (keys) => {
      const reading = read([...new Set(keys)]);
      underWay = settledOrLate(reading);
      const rows = new Map((await reading).map((row) => [keyOf(row), row]));
      return keys.map((key) => rows.get(key) ?? null);
    },
    { cache: false, batchScheduleFn: (dispatch) => void underWay.then(dispatch) },
  );
  return (key) => loader.load(key);
}

function settledOrLate(reading: Promise<unknown>): Promise<unknown> {
  const late = new Promise((resolve) => setTimeout(resolve, MAX_WAIT_MS).unref());
  return Promise.race([reading.catch(() => {}), late]);
}
