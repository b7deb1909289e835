import {
  arraysOf,
  assignments,
  insertion,
  pickColumns,
  recordset,
  recordsOf,
  selectList,
  unnested,
} from '../columns.ts';
import { messageColumns, messageDefaults, newMessageColumns, type MessageRow, type NewMessage } from '../rows.ts';
import type { Statement, Transaction } from '../transaction.ts';
import { statementName } from './statement-name.ts';

const find: Statement = {
  name: 'find-messages',
  text: `SELECT ${selectList(messageColumns, 'm')} FROM message m WHERE m.provider_id = ANY($1::text[])
    UNION ALL
    SELECT ${selectList(messageColumns, 'm')} FROM message m
    WHERE m.id = ANY($2::uuid[]) AND (m.provider_id IS NULL OR m.provider_id <> ALL($1::text[]))`,
};

const update: Statement = {
  name: 'update-messages',
  text: `UPDATE message m SET ${assignments(messageColumns, 'n', ['id', 'conversationId', 'sequence', 'direction', 'sentAt', 'sentById', 'imported'])}
    FROM ${recordset(messageColumns, '$1', 'n')} WHERE m.id = n.id`,
};

/** Messages by Meta's ids or by ours; each once. */
export function findMessages(tx: Transaction, providerIds: string[], ids: string[]): Promise<MessageRow[]> {
  if (providerIds.length + ids.length === 0) return Promise.resolve([]);
  return tx.query<MessageRow>(find, [providerIds, ids]);
}

/** Writes the columns that some of them fill: of forty most messages fill a dozen. */
export function insertMessages(tx: Transaction, messages: NewMessage[]): void {
  if (messages.length === 0) return;
  const columns = pickColumns(newMessageColumns, (name) => messages.some((message) => isFilled(message, name)));
  const text = `INSERT INTO message ${insertion(columns, 'n')} FROM ${unnested(columns, 'n')}`;
  tx.send({ name: statementName(text), text }, arraysOf(columns, messages));
}

function isFilled(message: NewMessage, name: keyof NewMessage): boolean {
  return message[name] !== (messageDefaults[name] ?? null);
}

export function updateMessages(tx: Transaction, messages: MessageRow[]): void {
  if (messages.length > 0) tx.send(update, [recordsOf(messageColumns, messages)]);
}
