import { insertion, recordset, recordsOf, type Columns } from '../columns.ts';
import type { MessageStatus } from '../../generated/prisma/enums.ts';
import type { Statement, Transaction } from '../transaction.ts';

export type NewStatusEntry = {
  id: string;
  messageId: string;
  status: MessageStatus;
  at: Date;
  recordedAt: Date;
  recipient: string;
  failure: unknown;
};

const columns = {
  id: ['id', 'uuid'],
  messageId: ['message_id', 'uuid'],
  status: ['status', '"MessageStatus"'],
  at: ['at', 'timestamptz'],
  recordedAt: ['recorded_at', 'timestamptz'],
  recipient: ['recipient', 'text'],
  failure: ['failure', 'jsonb'],
} as const satisfies Columns & Record<keyof NewStatusEntry, unknown>;

const insert: Statement = {
  name: 'insert-status-entries',
  text: `INSERT INTO status_entry ${insertion(columns, 'n')} FROM ${recordset(columns, '$1', 'n')} ON CONFLICT DO NOTHING`,
};

export function insertStatusEntries(tx: Transaction, entries: NewStatusEntry[]): void {
  if (entries.length > 0) tx.send(insert, [recordsOf(columns, entries)]);
}
