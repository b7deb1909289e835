import type pg from 'pg';
import type { LoggedEvent, LoggedType } from '../db/event-log.ts';

export const PAGE_EVENTS = 500;

/** Reads the log in pages. What a reader does not want is read, too, so that it can prove that it missed nothing. */
export type EventStore = {
  read(after: number, limit: number): Promise<LoggedEvent[]>;
  /** When this event was recorded; null where it is not kept. */
  timeOf(seq: number): Promise<Date | null>;
};

/** True where the page goes on after this sequence without a hole: old events may go in any order. */
export function follows(page: readonly LoggedEvent[], seq: number): boolean {
  return page.at(-1)?.seq === seq + page.length;
}

type Row = Omit<LoggedEvent, 'occurredAt' | 'recordedAt' | 'type'> & {
  type: string;
  occurredAt: Date;
  recordedAt: Date;
};

const text = `SELECT seq, epoch, type, conversation_id AS "conversationId", business_number_id AS "businessNumberId",
    message_id AS "messageId", request_id AS "requestId", template_id AS "templateId", operator_id AS "operatorId", data,
    occurred_at AS "occurredAt", recorded_at AS "recordedAt", trace_parent AS "traceParent"
  FROM event WHERE seq > $1 ORDER BY seq LIMIT `;

export function createEventStore(pool: pg.Pool): EventStore {
  return {
    async read(after, limit) {
      const { rows } = await pool.query<Row>({
        name: `read-events-${limit}`,
        text: `${text}${limit}`,
        values: [after],
      });
      return rows.map((row) => ({
        ...row,
        // Only those who append write types, and what they are given is typed.
        type: row.type as LoggedType,
        occurredAt: row.occurredAt.toISOString(),
        recordedAt: row.recordedAt.toISOString(),
      }));
    },
    async timeOf(seq) {
      const { rows } = await pool.query<{ recordedAt: Date }>({
        name: 'event-time',
        text: 'SELECT recorded_at AS "recordedAt" FROM event WHERE seq = $1',
        values: [seq],
      });
      return rows[0]?.recordedAt ?? null;
    },
  };
}
