import { assignments, insertion, recordset, selectList } from '../columns.ts';
import {
  participantColumns,
  writtenParticipantColumns,
  type LoadedParticipant,
  type WrittenParticipant,
} from '../rows.ts';
import type { Statement, Transaction } from '../transaction.ts';
import { statementName } from './statement-name.ts';

/** By what customers are found. */
export type ParticipantKeys = { comparisonKeys: string[]; userIds: string[]; groupIds: string[] };

const keyColumns = { comparisonKeys: 'comparison_key', userIds: 'user_id', groupIds: 'group_id' } as const;

/** Asks only by what there is: PostgreSQL plans a statement anew each time where a list of it is empty. */
function findBy(kinds: readonly (keyof ParticipantKeys)[]): Statement {
  const parts = kinds.map(
    (kind, index) =>
      `SELECT ${selectList(participantColumns, 'p')}, p.xmin::text AS "rowVersion" FROM participant p
        WHERE p.${keyColumns[kind]} = ANY($${index + 1}::text[])`,
  );
  const text = parts.join(' UNION ALL ');
  return { name: statementName(text), text };
}

const insert: Statement = {
  name: 'insert-participants',
  text: `INSERT INTO participant ${insertion(writtenParticipantColumns, 'n')} FROM ${recordset(writtenParticipantColumns, '$1', 'n')}
    ORDER BY n."comparisonKey", n."userId" ON CONFLICT DO NOTHING RETURNING id, xmin::text AS "rowVersion"`,
};

const update: Statement = {
  name: 'update-participants',
  text: `UPDATE participant p SET ${assignments(writtenParticipantColumns, 'n')}
    FROM (SELECT * FROM ${recordset({ ...writtenParticipantColumns, rowVersion: ['row_version', 'text'] }, '$1', 'r')} ORDER BY r.id) AS n
    WHERE p.id = n.id AND p.xmin::text = n."rowVersion" RETURNING p.id`,
};

const rename: Statement = {
  name: 'refresh-participant-search',
  text: `UPDATE conversation c SET participant_search = n.search, version = c.version + 1
    FROM (SELECT * FROM json_to_recordset($1::json) AS r (id uuid, search text)) AS n
    WHERE c.participant_id = n.id AND c.participant_search <> n.search
    RETURNING c.id, c.business_number_id AS "businessNumberId"`,
};

/** Each once, whichever of its ids it was found by. */
export async function findParticipants(tx: Transaction, keys: ParticipantKeys): Promise<LoadedParticipant[]> {
  const kinds = (['comparisonKeys', 'userIds', 'groupIds'] as const).filter((kind) => keys[kind].length > 0);
  if (kinds.length === 0) return [];
  const values = kinds.map((kind) => keys[kind]);
  const rows = await tx.query<LoadedParticipant>(findBy(kinds), values);
  return [...new Map(rows.map((row) => [row.id, row])).values()];
}

/** Gives back those that were really inserted: fewer mean that somebody else was first. */
export async function insertParticipants(
  tx: Transaction,
  rows: WrittenParticipant[],
): Promise<{ id: string; rowVersion: string }[]> {
  return rows.length > 0 ? tx.query(insert, [JSON.stringify(rows)]) : [];
}

/** Gives back the ids that were really written: of the others somebody else wrote a newer version meanwhile. */
export async function updateParticipants(
  tx: Transaction,
  rows: (WrittenParticipant & LoadedParticipant)[],
): Promise<string[]> {
  if (rows.length === 0) return [];
  const updated = await tx.query<{ id: string }>(update, [JSON.stringify(rows)]);
  return updated.map((row) => row.id);
}

/** Brings the folded name and number of each participant into the conversations' rows. */
export function refreshParticipantSearch(
  tx: Transaction,
  participants: { id: string; search: string }[],
): Promise<{ id: string; businessNumberId: string }[]> {
  return tx.query(rename, [JSON.stringify(participants)]);
}

/** The customer wants no marketing from now on; a newer word of theirs stays. */
export async function stopMarketing(tx: Transaction, participantIds: string[]): Promise<void> {
  if (participantIds.length === 0) return;
  await tx.query(
    `UPDATE participant SET marketing_stopped_at = $2, marketing_changed_at = $2
     WHERE id = ANY($1::uuid[]) AND coalesce(marketing_changed_at, '-infinity') < $2`,
    [participantIds, tx.now],
  );
}
