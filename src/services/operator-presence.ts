import type { Database } from '../db/database.ts';
import {
  findAnnouncedOperators,
  saveAnnounced,
  saveHeartbeats,
  type Heartbeat,
  type PresentOperator,
} from '../db/statements/operators.ts';
import { transaction, type Transaction } from '../db/transaction.ts';
import { loginState, ONLINE_MS } from './login-state.ts';

/** Writes down who was seen. Heartbeats of a log-in that was ended meanwhile count for nothing. */
export async function recordHeartbeats(db: Database, beats: Heartbeat[], onlineMs: number): Promise<void> {
  await transaction(db, async (tx) => {
    const sorted = beats.toSorted((a, b) => (a.operatorId < b.operatorId ? -1 : 1));
    await announceStates(tx, await saveHeartbeats(tx, sorted), onlineMs);
  });
}

/** Tells of those whose heartbeats or log-ins ran out. Any process may do it; each change is told once. */
export async function announceExpired(db: Database, onlineMs: number): Promise<void> {
  await transaction(db, async (tx) => announceStates(tx, await findAnnouncedOperators(tx), onlineMs));
}

/** One event per change of state; the rows are locked. */
export async function announceStates(
  tx: Transaction,
  operators: readonly PresentOperator[],
  onlineMs: number = ONLINE_MS,
): Promise<void> {
  const changed = operators
    .map((operator) => ({
      id: operator.id,
      before: operator.announcedState,
      now: loginState(operator, tx.now, onlineMs),
    }))
    .filter(({ before, now }) => before !== now);
  if (changed.length === 0) return;
  await saveAnnounced(
    tx,
    changed.map(({ id, now }) => ({ id, state: now })),
  );
  for (const { id, now } of changed)
    tx.append({ type: 'OPERATOR_PRESENCE_CHANGED', operatorId: id, occurredAt: tx.now, data: { loginState: now } });
}
