import { v7 as uuid } from 'uuid';
import type { Database } from '../db/database.ts';
import { isAway } from '../db/availability.ts';
import { transaction } from '../db/transaction.ts';
import type { Log } from '../log.ts';
import type { Rules } from '../services/changes.ts';
import type { Delivery, Numbers } from '../services/receiving/delivery.ts';
import { receiveDeliveries } from '../services/receiving/receive.ts';
import { receiveOneByOne } from '../services/receiving/one-by-one.ts';
import type { Item } from '../services/receiving/items.ts';

/** What the module's settings say about the ingest; read anew for each batch. */
export type IngestSettings = { numbers: Numbers; rules: Rules; enabled: boolean };

export type Ingest = {
  /** Settles when the delivery is durably stored; rejects with `Unavailable` where Meta should repeat it. */
  accept(body: Buffer, items: Item[], receivedAt: Date): Promise<void>;
  /** Waits until everything accepted has been stored. */
  drain(): Promise<void>;
};

/** The database is away or overloaded, or too much is waiting: nothing was stored. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

type Waiting = { delivery: Delivery; resolve: () => void; reject: (error: Unavailable) => void };

const MAX_BATCH_ITEMS = 1_000;
const MAX_WAITING_ITEMS = 20_000;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/**
 * The batch writer: while one transaction commits, the deliveries that arrive wait together and form the next one.
 * No timer, so an idle server adds no latency and a busy one commits more at once.
 */
export function createIngest(options: { db: Database; settings: () => Promise<IngestSettings>; log: Log }): Ingest {
  const { db, log } = options;
  const waiting: Waiting[] = [];
  let waitingItems = 0;
  let waitingBytes = 0;
  let running: Promise<void> | null = null;

  return {
    accept(body, items, receivedAt) {
      if (waitingItems > MAX_WAITING_ITEMS || waitingBytes > MAX_WAITING_BYTES) {
        return Promise.reject(new Unavailable('too many deliveries are waiting'));
      }
      const delivery = { id: uuid(), receivedAt, body, items, attempts: 1 };
      return new Promise((resolve, reject) => {
        waiting.push({ delivery, resolve, reject });
        waitingItems += items.length;
        waitingBytes += body.length;
        running ??= run();
      });
    },
    async drain() {
      await running;
    },
  };

  async function run(): Promise<void> {
    // Deliveries of one turn of the event loop belong together.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (waiting.length > 0) await write(takeBatch());
    running = null;
  }

  function takeBatch(): Waiting[] {
    let items = 0;
    const tooMany = waiting.findIndex((entry) => (items += entry.delivery.items.length) > MAX_BATCH_ITEMS);
    const batch = waiting.splice(0, tooMany === -1 ? waiting.length : Math.max(1, tooMany));
    for (const { delivery } of batch) {
      waitingItems -= delivery.items.length;
      waitingBytes -= delivery.body.length;
    }
    return batch;
  }

  async function write(batch: Waiting[]): Promise<void> {
    try {
      const settings = await options.settings();
      await store(
        batch.map((entry) => entry.delivery),
        settings,
      );
      for (const entry of batch) entry.resolve();
    } catch (error) {
      if (isAway(error)) return refuse(batch, error);
      await writeApart(batch, error);
    }
  }

  /** One delivery of the batch is poisonous: it must not stop the others. */
  async function writeApart(batch: Waiting[], cause: unknown): Promise<void> {
    const [only] = batch;
    if (batch.length > 1) {
      for (const entry of batch) await write([entry]);
    } else if (only) {
      log.warn({ err: cause, deliveryId: only.delivery.id }, 'a delivery could not be applied as a whole');
      await writeItemByItem(only);
    }
  }

  async function writeItemByItem(entry: Waiting): Promise<void> {
    try {
      const settings = await options.settings();
      await transaction(db, (tx) => receiveOneByOne(tx, entry.delivery, settings.numbers, settings.rules));
      entry.resolve();
    } catch (error) {
      refuse([entry], error);
    }
  }

  async function store(deliveries: Delivery[], { numbers, rules }: IngestSettings): Promise<void> {
    await transaction(db, (tx) => receiveDeliveries(tx, deliveries, numbers, rules));
  }

  function refuse(batch: Waiting[], error: unknown): void {
    log.error({ err: error, deliveries: batch.length }, 'deliveries could not be stored; Meta will repeat them');
    for (const entry of batch) entry.reject(new Unavailable('the database is not available', { cause: error }));
  }
}
