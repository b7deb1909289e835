import { selectList } from '../columns.ts';
import { participantColumns, type LoadedParticipant } from '../rows.ts';
import type { Statement, Transaction } from '../transaction.ts';

/** Who had an id, a number's comparison key or a user id, until when. UTC. */
export type FormerBearer = { formerId: string; until: Date; participant: LoadedParticipant };

export type NewFormerId = { id: string; participantId: string; until: Date };

const find: Statement = {
  name: 'find-former-bearers',
  text: `SELECT f.id AS "formerId", f.until, ${selectList(participantColumns, 'p')}, p.xmin::text AS "rowVersion"
    FROM former_id f JOIN participant p ON p.id = f.participant_id WHERE f.id = ANY($1::text[])`,
};

const save: Statement = {
  name: 'save-former-ids',
  text: `INSERT INTO former_id AS f (id, participant_id, until)
    SELECT n.id, n."participantId", max(n.until)
    FROM json_to_recordset($1::json) AS n (id text, "participantId" uuid, until timestamptz) GROUP BY 1, 2
    ON CONFLICT (id, participant_id) DO UPDATE SET until = greatest(f.until, excluded.until)`,
};

export async function findFormerBearers(tx: Transaction, ids: string[]): Promise<FormerBearer[]> {
  if (ids.length === 0) return [];
  const rows = await tx.query<LoadedParticipant & { formerId: string; until: Date }>(find, [ids]);
  return rows.map(({ formerId, until, ...participant }) => ({ formerId, until, participant }));
}

export function saveFormerIds(tx: Transaction, ids: NewFormerId[]): void {
  if (ids.length > 0) tx.send(save, [JSON.stringify(ids)]);
}
