import type pg from 'pg';

const BATCH_EVENTS = 10_000;

/**
 * Where the log should begin: the event itself stays, because it tells when the oldest cursor was given. What is read on
 * the way from its old end is what is deleted next; an index on time would be written with every event.
 */
const TARGET = `SELECT greatest(
    coalesce(
      (SELECT seq - 1 FROM event WHERE recorded_at >= now() - make_interval(secs => $1) ORDER BY seq LIMIT 1),
      (SELECT max(seq) FROM event)),
    (SELECT seq FROM stream_head WHERE id = 1) - $2::bigint) AS seq`;

/** Raises the floor first: whoever reads on below it is told so, before the events are gone. */
export async function raiseFloor(pool: pg.Pool, keepSeconds: number, keepEvents: number): Promise<number> {
  const { rows } = await pool.query<{ seq: number | null }>(TARGET, [keepSeconds, keepEvents]);
  const target = rows[0]?.seq ?? 0;
  await pool.query('UPDATE stream_head SET floor_seq = $1 WHERE id = 1 AND floor_seq < $1', [target]);
  return target;
}

/** Deletes one batch; true while there may be more. */
export async function deleteEventsBelow(pool: pg.Pool, floor: number): Promise<boolean> {
  const { rowCount } = await pool.query({
    name: 'delete-old-events',
    text: `DELETE FROM event WHERE seq IN (SELECT seq FROM event WHERE seq < $1 ORDER BY seq LIMIT ${BATCH_EVENTS} FOR UPDATE SKIP LOCKED)`,
    values: [floor],
  });
  return rowCount === BATCH_EVENTS;
}
