import { findIncoming, type IncomingRow } from '../db/statements/beacon-tail.ts';
import type { Transaction } from '../db/transaction.ts';
import type { BeaconOrder } from './beacon.ts';
import { asksForReply } from './beacon-message.ts';

const AT_ONCE = 20;

/**
 * The last message of the customer that asks for a reply, null where there is none. In the order of arrival it can be
 * older by Meta's clock than the one that is shown last, and one that was taken back is none.
 */
export async function findLastAsking(
  tx: Transaction,
  conversationId: string,
  order: BeaconOrder,
): Promise<IncomingRow | null> {
  for (let skipped = 0; ; skipped += AT_ONCE) {
    const rows = await findIncoming(tx, { conversationId, byTime: order === 'provider_time', skipped, limit: AT_ONCE });
    const asking = rows.find(asksForReply);
    if (asking || rows.length < AT_ONCE) return asking ?? null;
  }
}
