import { newId } from '../db/new-id.ts';
import type { Database } from '../db/database.ts';
import type { Log } from '../log.ts';
import type { Delivery } from '../services/receiving/delivery.ts';
import type { Item } from '../services/receiving/items.ts';
import { namesOf } from '../services/receiving/named-things.ts';
import type { TraceParent, Tracing } from '../tracing/tracing.ts';
import { createLane } from './lane.ts';
import { createWriter, type IngestSettings } from './writer.ts';

export type Ingest = {
  /** Settles when the delivery is durably stored; rejects with `Unavailable` where Meta should repeat it. */
  accept(body: Buffer, items: Item[], receivedAt: Date): Promise<void>;
  /** Keeps a signed body that nobody can read. */
  reject(body: Buffer, receivedAt: Date, why: string): Promise<void>;
  /** Waits until everything accepted has been stored. */
  drain(): Promise<void>;
};

/** The database is away or overloaded, or too much is waiting: nothing was stored. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

type Waiting = {
  delivery: Delivery;
  /** Of the customers and messages in it. */
  names: ReadonlySet<string>;
  /** Of the request that brought it. */
  trace: TraceParent | null;
  /** Told in which span it was stored. */
  resolve: (storedIn: TraceParent | null) => void;
  reject: (error: Unavailable) => void;
};

const MAX_BATCH_ITEMS = 1_000;
const MAX_WAITING_ITEMS = 20_000;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** More than this go in a lane of their own, so that the small ones do not wait for a thousand elements. */
const MAX_SMALL_ITEMS = 100;

/** The batch writer: what arrives while transactions are under way forms the next one. */
export function createIngest(options: {
  db: Database;
  settings: () => Promise<IngestSettings>;
  tracing: Tracing;
  log: Log;
  onStored?: (receivedAt: Date) => void;
  /** Told of what one call of the writer held. */
  onBatch?: (batch: { deliveries: number; items: number; oldestMs: number }) => void;
}): Ingest {
  const { tracing } = options;
  const writer = createWriter(options);
  let waitingItems = 0;
  let waitingBytes = 0;
  const lane = () =>
    createLane<Waiting>({
      maxUnits: MAX_BATCH_ITEMS,
      unitsOf: (entry) => entry.delivery.items.length,
      namesOf: (entry) => entry.names,
      write,
    });
  const small = lane();
  const large = lane();

  return {
    accept: (body, items, receivedAt) => enqueue({ id: newId(), receivedAt, body, items, attempts: 1 }),
    reject: (body, receivedAt, why) =>
      enqueue({ id: newId(), receivedAt, body, items: [], attempts: 1, rejected: why }),
    async drain() {
      await Promise.all([small.drain(), large.drain()]);
    },
  };

  async function enqueue(delivery: Delivery): Promise<void> {
    if (waitingItems > MAX_WAITING_ITEMS || waitingBytes > MAX_WAITING_BYTES)
      throw new Unavailable('too many deliveries are waiting');
    waitingItems += delivery.items.length;
    waitingBytes += delivery.body.length;
    const stored = Promise.withResolvers<TraceParent | null>();
    const { resolve, reject } = stored;
    const entry = { delivery, names: namesOf(delivery.items), trace: tracing.present(), resolve, reject };
    (delivery.items.length > MAX_SMALL_ITEMS ? large : small).add(entry);
    tracing.link(await stored.promise);
  }

  function tell(batch: Waiting[]): void {
    const items = batch.reduce((sum, { delivery }) => sum + delivery.items.length, 0);
    const oldest = Math.min(...batch.map(({ delivery }) => delivery.receivedAt.getTime()));
    options.onBatch?.({ deliveries: batch.length, items, oldestMs: Date.now() - oldest });
  }

  /** In the trace of the first of them; the others are linked to it, in both directions. */
  function write(batch: Waiting[], handOver: () => void): Promise<void> {
    const [after, ...links] = batch.flatMap(({ trace }) => trace ?? []);
    if (after === undefined) return store(batch, handOver);
    const attributes = { 'cdesk.deliveries': batch.length };
    return tracing.span({ name: 'store deliveries', after, links, attributes }, () => store(batch, handOver));
  }

  async function store(batch: Waiting[], handOver: () => void): Promise<void> {
    const deliveries = batch.map((entry) => entry.delivery);
    const refused = await writer.write(deliveries, handOver);
    tell(batch);
    const storedIn = tracing.present();
    for (const { delivery, resolve, reject } of batch) {
      waitingItems -= delivery.items.length;
      waitingBytes -= delivery.body.length;
      const cause = refused.get(delivery);
      if (cause) {
        reject(new Unavailable('the delivery could not be stored', { cause }));
        continue;
      }
      options.onStored?.(delivery.receivedAt);
      resolve(storedIn);
    }
  }
}
