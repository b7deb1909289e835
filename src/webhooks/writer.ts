import type { Database } from '../db/database.ts';
import { isAway } from '../db/availability.ts';
import { isRepeatable, transaction } from '../db/transaction.ts';
import type { Log } from '../log.ts';
import type { Rules } from '../services/changes.ts';
import type { Delivery, Numbers } from '../services/receiving/delivery.ts';
import { receiveOneByOne } from '../services/receiving/one-by-one.ts';
import { keepDeliveries, receiveDeliveries } from '../services/receiving/receive.ts';

/** What the module's settings say about the ingest; read anew for each batch. */
export type IngestSettings = { numbers: Numbers; rules: Rules; enabled: boolean };

export type Writer = {
  /**
   * Stores and applies them. Gives back those that could not be stored at all, with the reason; never throws. Says when
   * all but the commit was handed over to PostgreSQL.
   */
  write(deliveries: Delivery[], handOver?: () => void): Promise<Map<Delivery, unknown>>;
};

/** Everything at once where that works, else in halves, a poisonous delivery at last item by item. */
export function createWriter(options: { db: Database; settings: () => Promise<IngestSettings>; log: Log }): Writer {
  const { db, log } = options;
  return { write };

  async function write(deliveries: Delivery[], handOver = () => {}): Promise<Map<Delivery, unknown>> {
    try {
      await store(deliveries, handOver);
      return new Map();
    } catch (error) {
      // What lost again and again to other writers has better chances in smaller pieces.
      if (isAway(error) && !(isRepeatable(error) && deliveries.length > 1)) return refuse(deliveries, error);
      if (deliveries.length > 1) return writeInHalves(deliveries);
      return writeItemByItem(deliveries, error);
    }
  }

  async function store(deliveries: Delivery[], handOver: () => void): Promise<void> {
    const { numbers, rules, enabled } = await options.settings();
    await transaction(db, async (tx) => {
      await (enabled ? receiveDeliveries(tx, deliveries, numbers, rules) : keepDeliveries(tx, deliveries));
      handOver();
    });
  }

  /** One of them must not stop the others; halves find it in few steps. */
  async function writeInHalves(deliveries: Delivery[]): Promise<Map<Delivery, unknown>> {
    const middle = Math.ceil(deliveries.length / 2);
    const first = await write(deliveries.slice(0, middle));
    const second = await write(deliveries.slice(middle));
    return new Map([...first, ...second]);
  }

  async function writeItemByItem(deliveries: Delivery[], cause: unknown): Promise<Map<Delivery, unknown>> {
    const [delivery] = deliveries;
    if (!delivery) return new Map();
    log.warn({ err: cause, deliveryId: delivery.id }, 'a delivery could not be applied as a whole');
    try {
      const { numbers, rules } = await options.settings();
      await transaction(db, (tx) => receiveOneByOne(tx, delivery, numbers, rules));
      return new Map();
    } catch (error) {
      return refuse(deliveries, error);
    }
  }

  function refuse(deliveries: Delivery[], error: unknown): Map<Delivery, unknown> {
    log.error({ err: error, deliveries: deliveries.length }, 'deliveries could not be stored; they are repeated');
    return new Map(deliveries.map((delivery) => [delivery, error]));
  }
}
