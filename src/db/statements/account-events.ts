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
};

const columns = {
  id: ['id', 'uuid'],
  field: ['field', 'text'],
  event: ['event', 'text'],
  summary: ['summary', 'text'],
  severity: ['severity', 'text'],
  at: ['at', 'timestamptz'],
  key: ['key', 'text'],
} as const satisfies Columns & Record<keyof NewAccountEvent, unknown>;

const insert: Statement = {
  name: 'insert-account-events',
  text: `INSERT INTO account_event ${insertion(columns, 'n')} FROM ${recordset(columns, '$1', 'n')} ON CONFLICT DO NOTHING RETURNING key`,
};

/** Gives back the keys of those that are new. */
export async function saveAccountEvents(tx: Transaction, events: NewAccountEvent[]): Promise<Set<string>> {
  if (events.length === 0) return new Set();
  const inserted = await tx.query<{ key: string }>(insert, [JSON.stringify(events)]);
  return new Set(inserted.map((row) => row.key));
}
