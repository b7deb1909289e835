import type { Database } from '../db/database.ts';
import { deleteEventsBelow, raiseFloor } from '../db/statements/stream-retention.ts';

/** Forgets events that are too old or too many, in batches, so that writers never wait for long. */
export async function forgetOldEvents(
  db: Database,
  keep: { streamRetentionSeconds: number; streamRetentionEvents: number },
): Promise<void> {
  const floor = await raiseFloor(db.pool, keep.streamRetentionSeconds, keep.streamRetentionEvents);
  while (await deleteEventsBelow(db.pool, floor));
}
