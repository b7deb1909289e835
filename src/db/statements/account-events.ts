import { insertion, recordset, type Columns } from '../columns.ts';
import type { Statement, Transaction } from '../transaction.ts';

export type NewAccountEvent = {
  id: string;
  field: string;
  event: string | null;
  summary: string;
  severity: string;
  at: Date;
  key: string;
  /** What it is about, e.g. the quality of a number; null where nothing follows from it. */
  topic: string | null;
};

/** What follows from news that was told for the first time: nothing where newer news came before it. */
export type FreshNews = {
  key: string;
  /** No other of its topic is newer. */
  isLatest: boolean;
  /** No other of its topic with the same event is newer. */
  isLatestOfItsKind: boolean;
};

const columns = {
  id: ['id', 'uuid'],
  field: ['field', 'text'],
  event: ['event', 'text'],
  summary: ['summary', 'text'],
  severity: ['severity', 'text'],
  at: ['at', 'timestamptz'],
  key: ['key', 'text'],
  topic: ['topic', 'text'],
} as const satisfies Columns & Record<keyof NewAccountEvent, unknown>;

const insert: Statement = {
  name: 'insert-account-events',
  text: `INSERT INTO account_event ${insertion(columns, 'n')} FROM ${recordset(columns, '$1', 'n')} ON CONFLICT DO NOTHING RETURNING key`,
};

const judge: Statement = {
  name: 'judge-account-events',
  text: `SELECT e.key, newer.number = 0 AS "isLatest", newer.alike = 0 AS "isLatestOfItsKind"
    FROM account_event e, LATERAL (
      SELECT count(*) AS number, count(*) FILTER (WHERE o.event IS NOT DISTINCT FROM e.event) AS alike
      FROM account_event o WHERE o.topic = e.topic AND o.at > e.at
    ) newer WHERE e.key = ANY($1)`,
};

/** Gives back those that are new. */
export async function saveAccountEvents(tx: Transaction, events: NewAccountEvent[]): Promise<FreshNews[]> {
  if (events.length === 0) return [];
  const inserted = await tx.query<{ key: string }>(insert, [JSON.stringify(events)]);
  return tx.query<FreshNews>(judge, [inserted.map(({ key }) => key)]);
}
