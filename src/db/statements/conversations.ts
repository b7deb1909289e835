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
import { conversationColumns, type ConversationRow } from '../rows.ts';
import type { Statement, Transaction } from '../transaction.ts';
import type { ParticipantKeys } from './participants.ts';
import { statementName } from './statement-name.ts';

const lockByIds: Statement = {
  name: 'lock-conversations',
  text: `SELECT ${selectList(conversationColumns, 'c')} FROM conversation c
    WHERE c.id = ANY($1::uuid[]) ORDER BY c.id FOR NO KEY UPDATE`,
};

const lockInvolved: Statement = {
  name: 'lock-involved-conversations',
  text: `SELECT ${selectList(conversationColumns, 'c')} FROM conversation c
    WHERE c.id IN (
      SELECT o.id FROM unnest($1::uuid[], $2::uuid[]) AS pair (business_number_id, participant_id)
        JOIN conversation o USING (business_number_id, participant_id)
      UNION SELECT m.conversation_id FROM message m WHERE m.provider_id = ANY($3::text[])
      UNION SELECT m.conversation_id FROM message m WHERE m.id = ANY($4::uuid[]))
    ORDER BY c.id FOR NO KEY UPDATE`,
};

// Lists that are made first leave PostgreSQL one way to go, by index, whatever the sizes of the tables when it planned.
const lockNamed: Statement = {
  name: 'lock-named-conversations',
  text: `SELECT ${selectList(conversationColumns, 'c')} FROM conversation c
    WHERE c.participant_id = ANY (ARRAY(
        SELECT id FROM participant WHERE comparison_key = ANY($1::text[])
        UNION ALL SELECT id FROM participant WHERE user_id = ANY($2::text[])
        UNION ALL SELECT id FROM participant WHERE group_id = ANY($3::text[])))
      OR c.id = ANY (ARRAY(
        SELECT conversation_id FROM message WHERE provider_id = ANY($4::text[])
        UNION ALL SELECT conversation_id FROM message WHERE id = ANY($5::uuid[])))
    ORDER BY c.id FOR NO KEY UPDATE`,
};

const insert: Statement = {
  name: 'insert-conversations',
  text: `INSERT INTO conversation ${insertion(conversationColumns, 'n')}
    FROM ${recordset(conversationColumns, '$1', 'n')} ORDER BY n."businessNumberId", n."participantId"
    ON CONFLICT DO NOTHING RETURNING id`,
};

/** Locks in the order of ids, as every writer does. */
export function lockConversations(tx: Transaction, ids: string[]): Promise<ConversationRow[]> {
  return tx.query<ConversationRow>(lockByIds, [ids]);
}

const lockOfParticipants: Statement = {
  name: 'lock-conversations-of-participants',
  text: `SELECT ${selectList(conversationColumns, 'c')} FROM conversation c
    WHERE c.participant_id = ANY($1::uuid[]) AND c.merged_into_id IS NULL ORDER BY c.id FOR NO KEY UPDATE`,
};

export function lockConversationsOf(tx: Transaction, participantIds: string[]): Promise<ConversationRow[]> {
  return tx.query<ConversationRow>(lockOfParticipants, [participantIds]);
}

/** Locks every conversation that a batch touches: by number and participant, or through a message it names. */
export function lockInvolvedConversations(
  tx: Transaction,
  involved: {
    pairs: { businessNumberId: string; participantId: string }[];
    providerIds: string[];
    messageIds: string[];
  },
): Promise<ConversationRow[]> {
  return tx.query<ConversationRow>(lockInvolved, [
    involved.pairs.map((pair) => pair.businessNumberId),
    involved.pairs.map((pair) => pair.participantId),
    involved.providerIds,
    involved.messageIds,
  ]);
}

/** Locks every conversation of these customers, and those of these messages. */
export function lockNamedConversations(
  tx: Transaction,
  keys: ParticipantKeys,
  messages: { providerIds: string[]; ourIds: string[] },
): Promise<ConversationRow[]> {
  return tx.query<ConversationRow>(lockNamed, [
    keys.comparisonKeys,
    keys.userIds,
    keys.groupIds,
    messages.providerIds,
    messages.ourIds,
  ]);
}

/** Gives back the ids that were really inserted: fewer mean that somebody else was first. */
export async function insertConversations(tx: Transaction, rows: ConversationRow[]): Promise<string[]> {
  const inserted = await tx.query<{ id: string }>(insert, [recordsOf(conversationColumns, rows)]);
  return inserted.map((row) => row.id);
}

/** A locked conversation as it is to be, and as it was read. */
export type ChangedConversation = { row: ConversationRow; stored: ConversationRow };

const unchanging = new Set<keyof ConversationRow>([
  'businessNumberId',
  'participantId',
  'participantSearch',
  'version',
]);

/** Writes the columns in which some of them differ from what is stored. */
export function updateConversations(tx: Transaction, changed: ChangedConversation[]): void {
  if (changed.length === 0) return;
  const columns = pickColumns(
    conversationColumns,
    (name) => name === 'id' || (!unchanging.has(name) && changed.some(({ row, stored }) => row[name] !== stored[name])),
  );
  const text = `UPDATE conversation c SET ${[assignments(columns, 'n'), 'version = c.version + 1'].filter(Boolean).join(', ')}
    FROM ${unnested(columns, 'n')} WHERE c.id = n.id`;
  tx.send(
    { name: statementName(text), text },
    arraysOf(
      columns,
      changed.map(({ row }) => row),
    ),
  );
}
