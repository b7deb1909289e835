import type pg from 'pg';

/** Where the event stream stands: `seq` is the newest event, everything up to `floorSeq` is gone. */
export type StreamHead = { epoch: string; seq: number; floorSeq: number };

// Another system identifier or timeline means a restore or a fail-over: what was after the last event may have
// been lost, so earlier cursors prove nothing any more.
const CLUSTER = `(SELECT system_identifier FROM pg_control_system())::text || ':' || left(pg_walfile_name(pg_current_wal_lsn()), 8)`;

// Its first cursor is the present head: events of before carry cursors of before, which are refused.
const NEW_EPOCH = 'epoch = substr(gen_random_uuid()::text, 1, 8), floor_seq = seq';

/** Begins a new epoch when this PostgreSQL is not the one that wrote last. Runs once per new connection. */
export async function checkContinuity(client: pg.ClientBase): Promise<void> {
  const known = await client.query<{ exists: boolean }>(`SELECT to_regclass('stream_head') IS NOT NULL AS exists`);
  if (!known.rows[0]?.exists) return;
  await client.query(
    `UPDATE stream_head SET ${NEW_EPOCH}, cluster = ${CLUSTER}
     WHERE id = 1 AND NOT pg_is_in_recovery() AND cluster <> ${CLUSTER}`,
  );
}

export async function readStreamHead(pool: pg.Pool): Promise<StreamHead> {
  const { rows } = await pool.query<{ epoch: string; seq: number; floor_seq: number }>({
    name: 'stream-head',
    text: 'SELECT epoch, seq, floor_seq FROM stream_head WHERE id = 1',
  });
  const row = rows[0];
  if (!row) throw new Error('stream_head has no row: the migrations were not applied');
  return { epoch: row.epoch, seq: row.seq, floorSeq: row.floor_seq };
}

/** For after a restore, and for a head that went back: cursors of before are refused from now on. */
export async function beginEpoch(pool: pg.Pool, from?: string): Promise<void> {
  await pool.query(`UPDATE stream_head SET ${NEW_EPOCH} WHERE id = 1 AND ($1::text IS NULL OR epoch = $1)`, [
    from ?? null,
  ]);
}
