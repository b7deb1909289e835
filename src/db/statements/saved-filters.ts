import type { SavedFilter } from '../../generated/prisma/client.ts';
import { assignments, insertion, recordset, selectList, type Columns } from '../columns.ts';
import type { Statement, Transaction } from '../transaction.ts';

export type SavedFilterRow = Omit<SavedFilter, 'filter'> & { filter: object };

const columns = {
  id: ['id', 'uuid'],
  ownerId: ['owner_id', 'uuid'],
  name: ['name', 'text'],
  nameKey: ['name_key', 'text'],
  color: ['color', 'text'],
  visibility: ['visibility', '"FilterVisibility"'],
  filter: ['filter', 'jsonb'],
  search: ['search', 'text'],
  searchColumns: ['search_columns', '"ConversationSearchColumn"[]'],
  sortField: ['sort_field', '"ConversationSortField"'],
  sortDirection: ['sort_direction', '"SortDirection"'],
  position: ['position', 'integer'],
  schemaVersion: ['schema_version', 'integer'],
  version: ['version', 'integer'],
} as const satisfies Columns & Record<keyof SavedFilterRow, unknown>;

// The driver does not take arrays of an enum apart.
const selected = selectList({ ...columns, searchColumns: ['search_columns::text[]', ''] }, 'f');

const lock: Statement = {
  name: 'lock-saved-filter',
  text: `SELECT ${selected}, ARRAY(SELECT s.operator_id FROM saved_filter_share s WHERE s.filter_id = f.id) AS "sharedWith"
    FROM saved_filter f WHERE f.id = $1 FOR UPDATE OF f`,
};

export async function lockFilter(
  tx: Transaction,
  id: string,
): Promise<(SavedFilterRow & { sharedWith: string[] }) | null> {
  const rows = await tx.query<SavedFilterRow & { sharedWith: string[] }>(lock, [id]);
  return rows[0] ?? null;
}

/** Makes one operator's new filters wait for each other, so that the limit holds. */
export async function lockOwner(tx: Transaction, ownerId: string): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`saved-filters:${ownerId}`]);
}

export async function countFilters(tx: Transaction, ownerId: string): Promise<{ total: number; lastPosition: number }> {
  const rows = await tx.query<{ total: number; lastPosition: number }>(
    `SELECT count(*) AS total, COALESCE(max(position), -1) AS "lastPosition" FROM saved_filter WHERE owner_id = $1`,
    [ownerId],
  );
  return rows[0] ?? { total: 0, lastPosition: -1 };
}

export async function insertFilter(tx: Transaction, row: SavedFilterRow): Promise<void> {
  await tx.query(`INSERT INTO saved_filter ${insertion(columns, 'n')} FROM ${recordset(columns, '$1', 'n')}`, [
    JSON.stringify([row]),
  ]);
}

export async function updateFilter(tx: Transaction, row: SavedFilterRow): Promise<void> {
  await tx.query(
    `UPDATE saved_filter f SET ${assignments(columns, 'n', ['id', 'ownerId', 'version'])}, version = f.version + 1
     FROM ${recordset(columns, '$1', 'n')} WHERE f.id = n.id`,
    [JSON.stringify([row])],
  );
}

export async function deleteFilter(tx: Transaction, id: string): Promise<void> {
  await tx.query('DELETE FROM saved_filter WHERE id = $1', [id]);
}

export async function replaceShares(tx: Transaction, filterId: string, operatorIds: string[]): Promise<void> {
  await tx.query('DELETE FROM saved_filter_share WHERE filter_id = $1 AND operator_id <> ALL($2::uuid[])', [
    filterId,
    operatorIds,
  ]);
  await tx.query(
    `INSERT INTO saved_filter_share (filter_id, operator_id) SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING`,
    [filterId, operatorIds],
  );
}

export async function missingOperators(tx: Transaction, ids: string[]): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `SELECT id FROM unnest($1::uuid[]) AS given (id) WHERE NOT EXISTS
       (SELECT FROM operator o WHERE o.id = given.id AND o.deactivated_at IS NULL)`,
    [ids],
  );
  return rows.map((row) => row.id);
}
