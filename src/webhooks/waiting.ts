import type { Database } from '../db/database.ts';
import { claimWaitingDeliveries } from '../db/statements/delivery-log.ts';
import { transaction } from '../db/transaction.ts';
import { parsePayload } from './payload.ts';
import { parseJson } from './raw-body.ts';
import type { IngestSettings, Writer } from './writer.ts';

const CLAIM_MS = 60_000;

/**
 * Applies what was only kept: deliveries that came while the module was off, and those that are to be replayed. Oldest
 * first; what a process had taken when it died is taken again after a minute. Gives back how many were applied.
 */
export async function applyWaitingDeliveries(
  db: Database,
  writer: Writer,
  settings: () => Promise<IngestSettings>,
): Promise<number> {
  let count = 0;
  for (;;) {
    if (!(await settings()).enabled) return count;
    const kept = await transaction(db, (tx) => claimWaitingDeliveries(tx, new Date(tx.now.getTime() - CLAIM_MS)));
    if (kept.length === 0) return count;
    await writer.write(kept.map((row) => ({ ...row, items: parsePayload(parseJson(row.body)).items })));
    count += kept.length;
  }
}
