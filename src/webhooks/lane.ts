/** A queue whose entries are written in batches, one batch at a time. */
export type Lane<T> = {
  add(entry: T): void;
  /** Waits until everything added has been written. */
  drain(): Promise<void>;
};

/**
 * While one batch is written, what arrives waits together and forms the next one. No timer, so an idle server adds no
 * latency and a busy one writes more at once. `write` must not throw.
 */
export function createLane<T>(options: {
  maxUnits: number;
  unitsOf: (entry: T) => number;
  write: (batch: T[]) => Promise<void>;
}): Lane<T> {
  const waiting: T[] = [];
  let running: Promise<void> | null = null;

  return {
    add(entry) {
      waiting.push(entry);
      running ??= run();
    },
    async drain() {
      await running;
    },
  };

  async function run(): Promise<void> {
    // Deliveries of one turn of the event loop belong together.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (waiting.length > 0) await options.write(takeBatch());
    running = null;
  }

  function takeBatch(): T[] {
    let units = 0;
    const tooMany = waiting.findIndex((entry) => (units += options.unitsOf(entry)) > options.maxUnits);
    return waiting.splice(0, tooMany === -1 ? waiting.length : Math.max(1, tooMany));
  }
}
