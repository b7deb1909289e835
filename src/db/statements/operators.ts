import type { Operator } from '../../generated/prisma/client.ts';
import type { LoginState } from '../../generated/prisma/enums.ts';
import type { Transaction } from '../transaction.ts';

/** What the login state follows from. */
export type PresentOperator = Pick<
  Operator,
  'id' | 'lastSeenAt' | 'sessionExpiresAt' | 'signedOutAt' | 'deactivatedAt' | 'announcedState'
>;

/** `issuedAt` is of the log-in that was seen; null where it did not say. */
export type Heartbeat = { operatorId: string; issuedAt: Date | null; at: Date };

const columns = `o.id, o.last_seen_at AS "lastSeenAt", o.session_expires_at AS "sessionExpiresAt",
  o.signed_out_at AS "signedOutAt", o.deactivated_at AS "deactivatedAt", o.announced_state AS "announcedState"`;

export async function lockOperator(tx: Transaction, id: string): Promise<PresentOperator | null> {
  const [row] = await tx.query<PresentOperator>(`SELECT ${columns} FROM operator o WHERE o.id = $1 FOR NO KEY UPDATE`, [
    id,
  ]);
  return row ?? null;
}

export async function setDeactivated(tx: Transaction, id: string, deactivatedAt: Date | null): Promise<void> {
  await tx.query('UPDATE operator SET deactivated_at = $2 WHERE id = $1', [id, deactivatedAt]);
}

export async function setSignedOut(tx: Transaction, id: string): Promise<void> {
  await tx.query('UPDATE operator SET signed_out_at = $2 WHERE id = $1', [id, tx.now]);
}

/** One statement for all who are connected to a process (200 of them: a few milliseconds, every ten seconds). */
export function saveHeartbeats(tx: Transaction, beats: readonly Heartbeat[]): Promise<PresentOperator[]> {
  return tx.query<PresentOperator>(
    `UPDATE operator o SET last_seen_at = greatest(o.last_seen_at, n.at)
     FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS n (id, issued_at, at)
     WHERE o.id = n.id AND o.deactivated_at IS NULL AND (o.signed_out_at IS NULL OR n.issued_at > o.signed_out_at)
     RETURNING ${columns}`,
    [beats.map((beat) => beat.operatorId), beats.map((beat) => beat.issuedAt), beats.map((beat) => beat.at)],
  );
}

/** Those who may have to be told of; what another process is about to tell is left to it. */
export function findAnnouncedOperators(tx: Transaction): Promise<PresentOperator[]> {
  return tx.query<PresentOperator>(
    `SELECT ${columns} FROM operator o WHERE o.announced_state <> 'LOGGED_OUT' ORDER BY o.id FOR NO KEY UPDATE SKIP LOCKED`,
  );
}

export async function saveAnnounced(
  tx: Transaction,
  states: readonly { id: string; state: LoginState }[],
): Promise<void> {
  await tx.query(
    `UPDATE operator o SET announced_state = n.state::"LoginState"
     FROM unnest($1::uuid[], $2::text[]) AS n (id, state) WHERE o.id = n.id`,
    [states.map(({ id }) => id), states.map(({ state }) => state)],
  );
}
