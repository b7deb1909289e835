import type { Transaction } from '../transaction.ts';
import { requestPlace, type RequestPlace } from './requests.ts';

export type ErasedPerson = {
  id: string;
  waId: string | null;
  userId: string | null;
  groupId: string | null;
  phoneNumber: string | null;
  previousPhoneNumbers: string[];
  formerIds: string[];
  erasedAt: Date | null;
};

/** The person and all who turned out to be the same one, locked. */
export async function lockPerson(tx: Transaction, id: string): Promise<ErasedPerson[]> {
  return tx.query<ErasedPerson>(
    `WITH RECURSIVE same AS (
       SELECT id FROM participant WHERE id = $1
       UNION SELECT p.id FROM participant p JOIN same ON p.merged_into_id = same.id)
     SELECT id, wa_id AS "waId", user_id AS "userId", group_id AS "groupId", phone_number AS "phoneNumber",
       previous_phone_numbers AS "previousPhoneNumbers", erased_at AS "erasedAt",
       ARRAY(SELECT f.id FROM former_id f WHERE f.participant_id = participant.id) AS "formerIds"
     FROM participant WHERE id IN (SELECT id FROM same) ORDER BY id FOR UPDATE`,
    [id],
  );
}

export async function lockConversationsOf(
  tx: Transaction,
  participantIds: string[],
): Promise<{ id: string; businessNumberId: string }[]> {
  return tx.query(
    `SELECT id, business_number_id AS "businessNumberId" FROM conversation WHERE participant_id = ANY($1::uuid[])
     ORDER BY id FOR UPDATE`,
    [participantIds],
  );
}

/** Messages of whole conversations, or those that were stored before an id. */
export type DoomedMessages = { conversationIds: string[] } | { messageIds: string[] };

export type DeletedMessages = {
  messages: number;
  attachments: number;
  storageKeys: string[];
  /** That they were linked to, or whose files they brought. */
  requestIds: string[];
};

/** Messages, their files' rows and what waits for them; gives back how many, and the keys of the files. */
export async function deleteMessages(tx: Transaction, doomed: DoomedMessages): Promise<DeletedMessages> {
  const [column, ids] =
    'messageIds' in doomed ? ['id', doomed.messageIds] : ['conversation_id', doomed.conversationIds];
  const messages = `SELECT id FROM message WHERE ${column} = ANY($1::uuid[])`;
  const attachments = `SELECT id FROM attachment WHERE message_id IN (${messages})`;
  const parted = await tx.query<{ id: string }>(
    `WITH files AS (DELETE FROM request_attachment WHERE attachment_id IN (${attachments}) RETURNING request_id),
       links AS (DELETE FROM message_request_link WHERE message_id IN (${messages}) RETURNING request_id)
     SELECT request_id AS id FROM files UNION SELECT request_id FROM links`,
    [ids],
  );
  await tx.query(`DELETE FROM discussion_attachment WHERE attachment_id IN (${attachments})`, [ids]);
  const files = await tx.query<{ key: string | null }>(
    `DELETE FROM attachment WHERE message_id IN (${messages}) RETURNING storage_key AS key`,
    [ids],
  );
  await tx.query(
    `DELETE FROM parked_item WHERE opaque_id = ANY (SELECT id::text FROM (${messages}) m)
       OR target_provider_id IN (SELECT provider_id FROM message WHERE ${column} = ANY($1::uuid[]))`,
    [ids],
  );
  const gone = await tx.query(`DELETE FROM message WHERE ${column} = ANY($1::uuid[]) RETURNING id`, [ids]);
  const storageKeys = files.flatMap(({ key }) => key ?? []);
  const requestIds = parted.map(({ id }) => id);
  return { messages: gone.length, attachments: files.length, storageKeys, requestIds };
}

/** The conversations keep their number and times; nothing in them says any more who wrote or what. */
export async function blankConversations(tx: Transaction, ids: string[]): Promise<void> {
  await tx.query(
    `UPDATE conversation SET last_message_id = NULL, last_message_preview = NULL, last_message_direction = NULL,
       last_message_status = NULL, last_incoming_message_id = NULL, last_outgoing_message_id = NULL,
       last_incoming_at = NULL, last_outgoing_at = NULL, last_message_search = '', participant_search = '',
       unread_count = 0, read_up_to_sequence = last_sequence, read_up_to_id = NULL,
       beacon_on = false, beacon_since = NULL, beacon_trigger_id = NULL, beacon_changed_at = $2,
       no_reply_needed = false, no_reply_needed_by_id = NULL, no_reply_needed_at = NULL,
       window_opened_at = NULL, window_opened_by = NULL, window_expires_at = NULL, window_announced = 'NEVER_OPENED',
       version = version + 1
     WHERE id = ANY($1::uuid[])`,
    [ids, tx.now],
  );
}

/** Those of the conversations lose their description; those that only had their messages or files are changed, too. */
export async function blankRequests(
  tx: Transaction,
  conversationIds: string[],
  requestIds: string[],
): Promise<RequestPlace[]> {
  return tx.query(
    `UPDATE request r SET version = version + 1, revision = revision + 1, updated_at = $3,
       description = CASE WHEN r.conversation_id = ANY($1::uuid[]) THEN '' ELSE r.description END
     WHERE r.conversation_id = ANY($1::uuid[]) OR r.id = ANY($2::uuid[])
     RETURNING ${requestPlace}`,
    [conversationIds, requestIds, tx.now],
  );
}

/** In place, so that the sequence stays without a hole; readers of the log step over them. */
export async function blankEvents(tx: Transaction, conversationIds: string[]): Promise<void> {
  await tx.query(
    `UPDATE event SET type = 'ERASED', data = '{}', conversation_id = NULL, business_number_id = NULL, message_id = NULL,
       request_id = NULL, operator_id = NULL
     WHERE conversation_id = ANY($1::uuid[])`,
    [conversationIds],
  );
}

export async function blankParticipants(tx: Transaction, ids: string[]): Promise<void> {
  await tx.query('DELETE FROM former_id WHERE participant_id = ANY($1::uuid[])', [ids]);
  await tx.query(
    `UPDATE participant SET wa_id = NULL, user_id = NULL, group_id = NULL, phone_number = NULL, comparison_key = NULL,
       profile_name = NULL, previous_phone_numbers = '{}', search_text = '', erased_at = $2
     WHERE id = ANY($1::uuid[])`,
    [ids, tx.now],
  );
}

/** What waits for a message and names the person. */
export async function deleteParkedItems(tx: Transaction, pattern: string): Promise<void> {
  await tx.query('DELETE FROM parked_item WHERE item::text ~ $1', [pattern]);
}

/** Meta's ids of messages, which these jobs carry, have the number in them. */
export async function dropMarkJobs(tx: Transaction, conversationIds: string[]): Promise<void> {
  await tx.query(
    `SELECT graphile_worker.remove_job(kind || ':' || id) FROM unnest($1::text[]) id, unnest('{receipt,typing}'::text[]) kind`,
    [conversationIds],
  );
}

export async function deleteExportsOf(tx: Transaction, participantIds: string[]): Promise<string[]> {
  const rows = await tx.query<{ key: string }>(
    'DELETE FROM participant_export WHERE participant_id = ANY($1::uuid[]) RETURNING storage_key AS key',
    [participantIds],
  );
  return rows.map(({ key }) => key);
}

export async function addErasureJob(tx: Transaction, work: object): Promise<void> {
  await tx.query(`SELECT graphile_worker.add_job('erase', $1::json, max_attempts => 25)`, [JSON.stringify(work)]);
}

/** Files of rows that are gone. */
export async function addRemovalJob(tx: Transaction, storageKeys: string[]): Promise<void> {
  const work = JSON.stringify({ storageKeys });
  await tx.query(`SELECT graphile_worker.add_job('remove-files', $1::json, max_attempts => 25)`, [work]);
}

const DELIVERIES_AT_ONCE = 20;

/** Raw deliveries that hold one of these identifiers, after the given id. The table is read once, in order. */
export async function findDeliveriesNaming(
  tx: Transaction,
  identifiers: string[],
  afterId: string,
): Promise<{ id: string; body: Buffer }[]> {
  const conditions = identifiers.map((_, index) => `position($${index + 2}::bytea IN body) > 0`).join(' OR ');
  return tx.query(
    `SELECT id, body FROM webhook_delivery WHERE id > $1::uuid AND (${conditions})
     ORDER BY id LIMIT ${DELIVERIES_AT_ONCE} FOR UPDATE`,
    [afterId, ...identifiers.map((identifier) => Buffer.from(identifier))],
  );
}

export async function rewriteDelivery(tx: Transaction, id: string, body: Buffer): Promise<void> {
  await tx.query('UPDATE webhook_delivery SET body = $2, failures = NULL, error = NULL WHERE id = $1', [id, body]);
}
