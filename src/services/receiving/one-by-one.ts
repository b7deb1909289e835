import { saveDeliveries } from '../../db/statements/deliveries.ts';
import { isRepeatable } from '../../db/transaction.ts';
import type { Transaction } from '../../db/transaction.ts';
import type { Rules } from '../changes.ts';
import type { Delivery, Numbers } from './delivery.ts';
import { receiveItems } from './receive.ts';

/** The last resort for a poisonous delivery: each item under its own savepoint, what fails is written down. */
export async function receiveOneByOne(
  tx: Transaction,
  delivery: Delivery,
  numbers: Numbers,
  rules: Rules,
): Promise<void> {
  const failures: { index: number; error: string }[] = [];
  for (const [index, item] of delivery.items.entries()) {
    if (item.type === 'unknown' || ('phoneNumberId' in item && !numbers.has(item.phoneNumberId))) continue;
    try {
      await tx.savepoint(() => receiveItems(tx, [{ item, receivedAt: delivery.receivedAt }], numbers, rules));
    } catch (error) {
      if (isRepeatable(error)) throw error;
      failures.push({ index, error: describe(error) });
    }
  }
  saveDeliveries(tx, [outcome(delivery, failures)]);
}

function outcome(
  delivery: Delivery,
  failures: { index: number; error: string }[],
): Parameters<typeof saveDeliveries>[1][number] {
  const { id, receivedAt, body, items, attempts } = delivery;
  const state =
    failures.length === 0 ? 'PROCESSED' : failures.length === items.length ? 'FAILED' : 'PARTIALLY_PROCESSED';
  const error = failures.length > 0 ? `${failures.length} of ${items.length} items could not be applied` : null;
  return { id, receivedAt, body, state, attempts, itemCount: items.length, error, failures };
}

/** The kind of error, not its detail: that may quote what a customer wrote. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return 'code' in error ? `${error.name} ${String(error.code)}` : error.name;
}
