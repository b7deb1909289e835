import { assignments, insertion, recordset, selectList } from '../columns.ts';
import { participantColumns, type ParticipantRow } from '../rows.ts';
import type { Statement, Transaction } from '../transaction.ts';

const find: Statement = {
  name: 'find-participants',
  text: ['comparison_key = ANY($1::text[])', 'user_id = ANY($2::text[])', 'group_id = ANY($3::text[])']
    .map((condition) => `SELECT ${selectList(participantColumns, 'p')} FROM participant p WHERE p.${condition}`)
    .join(' UNION '),
};

const insert: Statement = {
  name: 'insert-participants',
  text: `INSERT INTO participant ${insertion(participantColumns, 'n')} FROM ${recordset(participantColumns, '$1', 'n')}
    ORDER BY n."comparisonKey", n."userId" ON CONFLICT DO NOTHING RETURNING id`,
};

const update: Statement = {
  name: 'update-participants',
  text: `UPDATE participant p SET ${assignments(participantColumns, 'n')}
    FROM (SELECT * FROM ${recordset(participantColumns, '$1', 'r')} ORDER BY r.id) AS n WHERE p.id = n.id`,
};

const rename: Statement = {
  name: 'refresh-participant-search',
  text: `UPDATE conversation c SET participant_search = n.search, version = c.version + 1
    FROM (SELECT * FROM json_to_recordset($1::json) AS r (id uuid, search text)) AS n
    WHERE c.participant_id = n.id AND c.participant_search <> n.search
    RETURNING c.id, c.business_number_id AS "businessNumberId"`,
};

export function findParticipants(
  tx: Transaction,
  keys: { comparisonKeys: string[]; userIds: string[]; groupIds: string[] },
): Promise<ParticipantRow[]> {
  return tx.query<ParticipantRow>(find, [keys.comparisonKeys, keys.userIds, keys.groupIds]);
}

/** Gives back the ids that were really inserted: fewer mean that somebody else was first. */
export async function insertParticipants(tx: Transaction, rows: ParticipantRow[]): Promise<string[]> {
  if (rows.length === 0) return [];
  const inserted = await tx.query<{ id: string }>(insert, [JSON.stringify(rows)]);
  return inserted.map((row) => row.id);
}

export async function updateParticipants(tx: Transaction, rows: ParticipantRow[]): Promise<void> {
  if (rows.length > 0) await tx.query(update, [JSON.stringify(rows)]);
}

/** Brings the folded name and number of each participant into the conversations' rows. */
export function refreshParticipantSearch(
  tx: Transaction,
  participants: { id: string; search: string }[],
): Promise<{ id: string; businessNumberId: string }[]> {
  return tx.query(rename, [JSON.stringify(participants)]);
}
