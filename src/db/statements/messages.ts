import { assignments, insertion, recordset, recordsOf, selectList } from '../columns.ts';
import { messageColumns, newMessageColumns, type MessageRow, type NewMessage } from '../rows.ts';
import type { Statement, Transaction } from '../transaction.ts';

const find: Statement = {
  name: 'find-messages',
  text: `SELECT ${selectList(messageColumns, 'm')} FROM message m WHERE m.provider_id = ANY($1::text[])
    UNION ALL
    SELECT ${selectList(messageColumns, 'm')} FROM message m
    WHERE m.id = ANY($2::uuid[]) AND (m.provider_id IS NULL OR m.provider_id <> ALL($1::text[]))`,
};

const insert: Statement = {
  name: 'insert-messages',
  text: `INSERT INTO message ${insertion(newMessageColumns, 'n')} FROM ${recordset(newMessageColumns, '$1', 'n')}`,
};

const update: Statement = {
  name: 'update-messages',
  text: `UPDATE message m SET ${assignments(messageColumns, 'n', ['id', 'conversationId', 'sequence', 'direction', 'sentAt', 'sentById', 'imported'])}
    FROM ${recordset(messageColumns, '$1', 'n')} WHERE m.id = n.id`,
};

const known: Statement = {
  name: 'known-provider-ids',
  text: 'SELECT provider_id AS "providerId", placeholder FROM message WHERE provider_id = ANY($1::text[])',
};

/** Which of Meta's ids are stored; they stay so, whatever else happens meanwhile. True: a ghost's. */
export async function findKnownIds(tx: Transaction, providerIds: string[]): Promise<Map<string, boolean>> {
  if (providerIds.length === 0) return new Map();
  const rows = await tx.query<{ providerId: string; placeholder: boolean }>(known, [providerIds]);
  return new Map(rows.map((row) => [row.providerId, row.placeholder]));
}

/** Messages by Meta's ids or by ours; each once. */
export function findMessages(tx: Transaction, providerIds: string[], ids: string[]): Promise<MessageRow[]> {
  if (providerIds.length + ids.length === 0) return Promise.resolve([]);
  return tx.query<MessageRow>(find, [providerIds, ids]);
}

export function insertMessages(tx: Transaction, messages: NewMessage[]): void {
  if (messages.length > 0) tx.send(insert, [recordsOf(newMessageColumns, messages)]);
}

export function updateMessages(tx: Transaction, messages: MessageRow[]): void {
  if (messages.length > 0) tx.send(update, [recordsOf(messageColumns, messages)]);
}
