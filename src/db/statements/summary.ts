import type pg from 'pg';
import type { StreamHead } from '../stream-head.ts';

export type SummaryRow = Pick<StreamHead, 'epoch' | 'seq'> & {
  waiting: number;
  waitingMine: number;
  oldestWaitingSince: Date | null;
  unreadConversations: number;
  handledToday: number;
};

/** A reply counts unless it was never accepted; a conversation counts once. */
const handled = (countsWaived: boolean) => `
  SELECT m.conversation_id FROM message m
  WHERE m.sent_by_id = $1 AND m.sent_at >= $2 AND m.sent_at < $3 AND m.origin = 'OPERATOR' AND NOT m.imported
    AND (m.accepted_at IS NOT NULL OR (m.status <> 'FAILED' AND m.discarded_at IS NULL))
  ${countsWaived ? 'UNION SELECT m.conversation_id FROM message m WHERE m.waived_by_id = $1 AND m.waived_at >= $2 AND m.waived_at < $3' : ''}`;

/** One statement sees one moment, so the figures and the position agree. Two partial indexes hold all it counts. */
export async function readSummary(
  pool: pg.Pool,
  about: {
    operatorId: string | null;
    day: { gte: Date; lt: Date };
    /** Null: every business number. */
    businessNumberIds: readonly string[] | null;
    countsWaived: boolean;
  },
): Promise<SummaryRow> {
  const visible = (alias: string) =>
    `${alias}.merged_into_id IS NULL AND ($4::uuid[] IS NULL OR ${alias}.business_number_id = ANY($4))`;
  const { rows } = await pool.query<SummaryRow>({
    name: `summary-${about.countsWaived}`,
    text: `SELECT h.epoch, h.seq, w.*, u.*, d.* FROM stream_head h,
      (SELECT count(*) AS waiting, count(*) FILTER (WHERE c.last_replied_by_id = $1) AS "waitingMine",
         min(c.beacon_since) AS "oldestWaitingSince" FROM conversation c WHERE c.beacon_on AND ${visible('c')}) w,
      (SELECT count(*) AS "unreadConversations" FROM conversation c WHERE c.unread_count > 0 AND ${visible('c')}) u,
      (SELECT count(*) AS "handledToday" FROM (${handled(about.countsWaived)}) handled) d WHERE h.id = 1`,
    values: [about.operatorId, about.day.gte, about.day.lt, about.businessNumberIds],
  });
  const row = rows[0];
  if (!row) throw new Error('stream_head has no row: the migrations were not applied');
  return row;
}
