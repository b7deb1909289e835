import { assignments, insertion, recordset, recordsOf, selectList } from '../columns.ts';
import { conversationColumns, type ConversationRow } from '../rows.ts';
import type { Statement, Transaction } from '../transaction.ts';

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

const insert: Statement = {
  name: 'insert-conversations',
  text: `INSERT INTO conversation ${insertion(conversationColumns, 'n')}
    FROM ${recordset(conversationColumns, '$1', 'n')} ORDER BY n."businessNumberId", n."participantId"
    ON CONFLICT DO NOTHING RETURNING id`,
};

const update: Statement = {
  name: 'update-conversations',
  text: `UPDATE conversation c SET ${assignments(conversationColumns, 'n', ['id', 'businessNumberId', 'participantId', 'participantSearch', 'version'])},
      version = c.version + 1
    FROM ${recordset(conversationColumns, '$1', 'n')} WHERE c.id = n.id`,
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

/** Gives back the ids that were really inserted: fewer mean that somebody else was first. */
export async function insertConversations(tx: Transaction, rows: ConversationRow[]): Promise<string[]> {
  const inserted = await tx.query<{ id: string }>(insert, [recordsOf(conversationColumns, rows)]);
  return inserted.map((row) => row.id);
}

export function updateConversations(tx: Transaction, rows: ConversationRow[]): void {
  if (rows.length > 0) tx.send(update, [recordsOf(conversationColumns, rows)]);
}
