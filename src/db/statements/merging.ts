import { selectList } from '../columns.ts';
import { messageColumns, type MessageRow } from '../rows.ts';
import type { Statement, Transaction } from '../transaction.ts';

// Rare, so that plain statements one after another are fast enough.

/** The ids must be free before another row takes them; what the other participant was called goes with them. */
const releaseParticipant: Statement = {
  text: `UPDATE participant SET wa_id = NULL, user_id = NULL, comparison_key = NULL, phone_number = NULL, profile_name = NULL,
      previous_phone_numbers = '{}', search_text = '', merged_into_id = $2 WHERE id = $1`,
};

const moveConversation: Statement = {
  text: `UPDATE conversation SET participant_id = $2, version = version + 1 WHERE id = $1`,
};

const unreadOf: Statement = {
  text: `SELECT m.id FROM message m JOIN conversation c ON c.id = m.conversation_id
    WHERE c.id IN ($1, $2) AND m.sequence > c.read_up_to_sequence AND m.direction = 'INCOMING' AND m.origin = 'CUSTOMER'
      AND m.kind <> 'SYSTEM' AND NOT m.imported`,
};

// Sequences are unique at every moment: the old ones step aside below zero.
const stepAside: Statement = {
  text: `UPDATE message SET sequence = -sequence WHERE conversation_id IN ($1, $2)`,
};

const joinMessages: Statement = {
  text: `UPDATE message m SET conversation_id = $1, sequence = ordered.place
    FROM (SELECT id, row_number() OVER (ORDER BY received_at, conversation_id, -sequence) AS place
      FROM message WHERE conversation_id IN ($1, $2)) AS ordered
    WHERE m.id = ordered.id RETURNING m.id, m.sequence`,
};

const newest: Statement = {
  text: `SELECT DISTINCT ON (m.direction) ${selectList(messageColumns, 'm')} FROM message m
    WHERE m.conversation_id = $1 AND m.kind <> 'SYSTEM' ORDER BY m.direction, m.sent_second DESC, m.sequence DESC`,
};

const lastRead: Statement = {
  text: `SELECT id FROM message WHERE conversation_id = $1 AND sequence <= $2 AND direction = 'INCOMING'
    ORDER BY sequence DESC LIMIT 1`,
};

/** Nothing else hangs on a conversation than its messages, its requests and the tabs that operators keep open. */
const rest: Statement[] = [
  { text: `UPDATE request SET conversation_id = $1 WHERE conversation_id = $2` },
  {
    text: `UPDATE list_preferences SET open_conversation_ids = CASE WHEN $1::uuid = ANY(open_conversation_ids)
        THEN array_remove(open_conversation_ids, $2::uuid) ELSE array_replace(open_conversation_ids, $2::uuid, $1::uuid) END
      WHERE $2::uuid = ANY(open_conversation_ids)`,
  },
  { text: `UPDATE conversation SET merged_into_id = $1 WHERE merged_into_id = $2` },
  {
    text: `UPDATE conversation SET merged_into_id = $1, last_message_id = NULL, last_incoming_message_id = NULL,
        last_outgoing_message_id = NULL, last_message_preview = NULL, last_message_search = '', participant_search = '',
        unread_count = 0, beacon_on = false, beacon_since = NULL, beacon_trigger_id = NULL, window_announced = 'NEVER_OPENED',
        request_count = 0, request_codes = '', version = version + 1 WHERE id = $2`,
  },
];

const giveFormerIds: Statement = {
  text: `WITH gone AS (DELETE FROM former_id WHERE participant_id = $1 RETURNING id, until)
    INSERT INTO former_id AS f (id, participant_id, until) SELECT id, $2, until FROM gone
    ON CONFLICT (id, participant_id) DO UPDATE SET until = greatest(f.until, excluded.until)`,
};

export async function releaseParticipantIds(tx: Transaction, goneId: string, keptId: string): Promise<void> {
  await tx.query(giveFormerIds, [goneId, keptId]);
  await tx.query(releaseParticipant, [goneId, keptId]);
  await tx.query('UPDATE participant SET merged_into_id = $2 WHERE merged_into_id = $1', [goneId, keptId]);
}

export async function giveConversation(tx: Transaction, conversationId: string, participantId: string): Promise<void> {
  await tx.query(moveConversation, [conversationId, participantId]);
}

/** The messages of both in the order in which they arrived. What was unread stays unread: up to `readUpTo` all was read. */
export async function joinConversations(
  tx: Transaction,
  keptId: string,
  goneId: string,
): Promise<{ lastSequence: number; readUpTo: { sequence: number; messageId: string | null } }> {
  const unread = new Set((await tx.query<{ id: string }>(unreadOf, [keptId, goneId])).map((row) => row.id));
  await tx.query(stepAside, [keptId, goneId]);
  const places = await tx.query<{ id: string; sequence: number }>(joinMessages, [keptId, goneId]);
  for (const statement of rest) await tx.query(statement, [keptId, goneId]);
  const firstUnread = Math.min(...places.filter((row) => unread.has(row.id)).map((row) => row.sequence));
  const sequence = unread.size > 0 ? firstUnread - 1 : places.length;
  const [read] = await tx.query<{ id: string }>(lastRead, [keptId, sequence]);
  return { lastSequence: places.length, readUpTo: { sequence, messageId: read?.id ?? null } };
}

/** The newest message of each direction that counts as a last message. */
export function findNewestMessages(tx: Transaction, conversationId: string): Promise<MessageRow[]> {
  return tx.query<MessageRow>(newest, [conversationId]);
}
