/** A queue whose entries are written in batches. */
export type Lane<T> = {
  add(entry: T): void;
  /** Waits until everything added has been written. */
  drain(): Promise<void>;
};

type Batch = { names: ReadonlySet<string>; units: number; isHandedOver: boolean };

const MAX_UNDER_WAY = 2;
/** So little is not worth being split. */
const SMALL_BATCH = 16;

/**
 * While batches are written, what arrives waits together and forms the next one. No timer, so an idle server adds no
 * latency and a busy one writes more at once. The next one begins when the one before was handed over: this process
 * works on it while PostgreSQL writes the other, for which the two must be of a size: when one had nearly everything, each
 * stood idle while the other worked, and 11 % less was taken. What has a name in common is never under way in two of
 * them, and keeps its order. `write` must not throw.
 */
export function createLane<T>(options: {
  maxUnits: number;
  unitsOf: (entry: T) => number;
  namesOf: (entry: T) => ReadonlySet<string>;
  write: (batch: T[], handOver: () => void) => Promise<void>;
}): Lane<T> {
  const { namesOf, unitsOf, write, maxUnits } = options;
  const underWay = new Map<Batch, Promise<void>>();
  let waiting: T[] = [];
  let isPlanned = false;
  let seen = 0;

  return {
    add(entry) {
      waiting.push(entry);
      plan();
    },
    async drain() {
      while (waiting.length > 0 || underWay.size > 0) {
        plan();
        await Promise.all(underWay.values());
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };

  /** Deliveries of one turn of the event loop belong together. */
  function plan(): void {
    if (isPlanned) return;
    isPlanned = true;
    setImmediate(begin);
  }

  function begin(): void {
    isPlanned = false;
    const batches = [...underWay.keys()];
    if (batches.length === MAX_UNDER_WAY || !batches.every(({ isHandedOver }) => isHandedOver)) return;
    const unitsUnderWay = sum(batches.map(({ units }) => units));
    const unitsWaiting = sum(waiting.map(unitsOf));
    // A few cost nearly as much as many.
    if (unitsWaiting * 4 < unitsUnderWay) return;
    // Whoever was answered just now may be about to send again: what the next turn of the event loop brings goes along.
    if (waiting.length > seen && unitsWaiting < unitsUnderWay * 2) {
      seen = waiting.length;
      return plan();
    }
    seen = 0;
    const share = Math.ceil((unitsWaiting + unitsUnderWay) / MAX_UNDER_WAY);
    const entries = takeBatch(batches, Math.min(maxUnits, Math.max(SMALL_BATCH, share)));
    if (entries.length === 0) return;
    const names = new Set(entries.flatMap((entry) => [...namesOf(entry)]));
    const batch = { names, units: sum(entries.map(unitsOf)), isHandedOver: false };
    underWay.set(batch, run(entries, batch));
  }

  async function run(entries: T[], batch: Batch): Promise<void> {
    await write(entries, () => {
      batch.isHandedOver = true;
      plan();
    });
    underWay.delete(batch);
    plan();
  }

  /** In their order, but for those that must wait for one of the batches, and whatever belongs to these. */
  function takeBatch(batches: Batch[], mostUnits: number): T[] {
    const passedOver = new Set<string>();
    const busy = [passedOver, ...batches.map(({ names }) => names)];
    const taken: T[] = [];
    const left: T[] = [];
    let units = 0;
    for (const [index, entry] of waiting.entries()) {
      const names = namesOf(entry);
      if (!busy.every((others) => names.isDisjointFrom(others))) {
        for (const name of names) passedOver.add(name);
        left.push(entry);
        continue;
      }
      units += unitsOf(entry);
      if (units > mostUnits && taken.length > 0) {
        left.push(...waiting.slice(index));
        break;
      }
      taken.push(entry);
    }
    waiting = left;
    return taken;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
