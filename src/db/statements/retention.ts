import type { Transaction } from '../transaction.ts';

const ROWS_AT_ONCE = 500;

/** One batch of what is older than it may be; true where there may be more. */
export async function deleteOldDeliveries(tx: Transaction, before: Date): Promise<boolean> {
  return deleted(tx, 'webhook_delivery', 'received_at < $1', before);
}

export async function deleteOldAuditEntries(tx: Transaction, before: Date): Promise<boolean> {
  return deleted(tx, 'audit_entry', 'at < $1', before);
}

export async function deleteOldKeys(tx: Transaction, before: Date): Promise<boolean> {
  const rows = await tx.query(
    `DELETE FROM idempotency_key WHERE (actor, key) IN (
       SELECT actor, key FROM idempotency_key WHERE created_at < $1 LIMIT ${ROWS_AT_ONCE}) RETURNING key`,
    [before],
  );
  return rows.length === ROWS_AT_ONCE;
}

async function deleted(tx: Transaction, table: string, condition: string, before: Date): Promise<boolean> {
  const rows = await tx.query(
    `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE ${condition} LIMIT ${ROWS_AT_ONCE}) RETURNING id`,
    [before],
  );
  return rows.length === ROWS_AT_ONCE;
}

/** Files past their day: by their age where it is limited, and whatever was to be kept for a time only. */
export async function findExpiredFiles(tx: Transaction, before: Date | null): Promise<{ id: string; key: string }[]> {
  return tx.query(
    `SELECT id, storage_key AS key FROM attachment
     WHERE storage_key IS NOT NULL AND (created_at < $1 OR expires_at <= $2) LIMIT ${ROWS_AT_ONCE}`,
    [before, tx.now],
  );
}

/** The row stays, so that a message still says that there was a file. */
export async function markFilesExpired(tx: Transaction, ids: string[]): Promise<void> {
  await tx.query(`UPDATE attachment SET state = 'EXPIRED', storage_key = NULL WHERE id = ANY($1::uuid[])`, [ids]);
}

export async function findExpiredExports(tx: Transaction): Promise<{ id: string; key: string }[]> {
  return tx.query(
    `SELECT id, storage_key AS key FROM participant_export WHERE expires_at <= $1 LIMIT ${ROWS_AT_ONCE}`,
    [tx.now],
  );
}

export async function deleteExports(tx: Transaction, ids: string[]): Promise<void> {
  await tx.query('DELETE FROM participant_export WHERE id = ANY($1::uuid[])', [ids]);
}

/** Ids begin with their time, so that the primary key finds the oldest. Their conversations are locked, in order. */
export async function lockOldMessages(
  tx: Transaction,
  beforeId: string,
): Promise<{ id: string; conversationId: string }[]> {
  const rows = await tx.query<{ id: string; conversationId: string }>(
    `SELECT id, conversation_id AS "conversationId" FROM message WHERE id < $1::uuid ORDER BY id LIMIT ${ROWS_AT_ONCE}`,
    [beforeId],
  );
  await tx.query('SELECT id FROM conversation WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE', [
    rows.map(({ conversationId }) => conversationId),
  ]);
  return rows;
}

export type Stripped = { id: string; businessNumberId: string; lostBeacon: boolean };

/** Nothing of a conversation may point to a message that is gone. */
export async function dropPointers(tx: Transaction, conversationIds: string[]): Promise<Stripped[]> {
  const gone = (column: string) => `NOT EXISTS (SELECT FROM message m WHERE m.id = c.${column})`;
  return tx.query<Stripped>(
    `WITH old AS (SELECT id, beacon_on FROM conversation WHERE id = ANY($1::uuid[]))
     UPDATE conversation c SET
       last_message_id = CASE WHEN ${gone('last_message_id')} THEN NULL ELSE c.last_message_id END,
       last_message_preview = CASE WHEN ${gone('last_message_id')} THEN NULL ELSE c.last_message_preview END,
       last_message_search = CASE WHEN ${gone('last_message_id')} THEN '' ELSE c.last_message_search END,
       last_message_direction = CASE WHEN ${gone('last_message_id')} THEN NULL ELSE c.last_message_direction END,
       last_message_status = CASE WHEN ${gone('last_message_id')} THEN NULL ELSE c.last_message_status END,
       last_incoming_message_id = CASE WHEN ${gone('last_incoming_message_id')} THEN NULL ELSE c.last_incoming_message_id END,
       last_outgoing_message_id = CASE WHEN ${gone('last_outgoing_message_id')} THEN NULL ELSE c.last_outgoing_message_id END,
       read_up_to_id = CASE WHEN ${gone('read_up_to_id')} THEN NULL ELSE c.read_up_to_id END,
       unread_count = (SELECT count(*) FROM message m WHERE m.conversation_id = c.id AND m.direction = 'INCOMING'
         AND m.sequence > c.read_up_to_sequence AND c.unread_count > 0),
       beacon_on = c.beacon_on AND NOT (${gone('beacon_trigger_id')}),
       beacon_since = CASE WHEN ${gone('beacon_trigger_id')} THEN NULL ELSE c.beacon_since END,
       beacon_reason = CASE WHEN c.beacon_on AND ${gone('beacon_trigger_id')} THEN 'TRIGGER_WITHDRAWN' ELSE c.beacon_reason END,
       beacon_trigger_id = CASE WHEN ${gone('beacon_trigger_id')} THEN NULL ELSE c.beacon_trigger_id END,
       version = c.version + 1
     FROM old WHERE c.id = old.id
     RETURNING c.id, c.business_number_id AS "businessNumberId", old.beacon_on AND NOT c.beacon_on AS "lostBeacon"`,
    [conversationIds],
  );
}
