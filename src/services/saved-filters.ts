import { v7 as uuid } from 'uuid';
import type { Database } from '../db/database.ts';
import {
  countFilters,
  deleteFilter,
  insertFilter,
  lockFilter,
  lockOwner,
  missingOperators,
  replaceShares,
  updateFilter,
  type SavedFilterRow,
} from '../db/statements/saved-filters.ts';
import { sqlState, transaction, type Transaction } from '../db/transaction.ts';
import {
  Failure,
  ForbiddenError,
  LimitError,
  NotFoundError,
  StaleStateError,
  ValidationError,
  type UserError,
} from '../errors.ts';
import { FILTER_VERSION } from './list/stored-filter.ts';
import { foldLine } from './search-text.ts';

export const MAX_SAVED_FILTERS = 50;
const MAX_NAME = 60;
const MAX_SHARES = 200;
export const MAX_POSITION = 1_000_000;
const COLOR = /^#[0-9a-f]{6}$/i;
const UNIQUE_VIOLATION = '23505';

/** What may be written of a saved filter; what is left out stays as it is. */
export type FilterChanges = Partial<
  Pick<
    SavedFilterRow,
    'name' | 'color' | 'filter' | 'search' | 'searchColumns' | 'sortField' | 'sortDirection' | 'visibility' | 'position'
  >
> & { sharedWithOperatorIds?: string[] };

export type NewFilter = FilterChanges & Pick<SavedFilterRow, 'name' | 'filter' | 'visibility'>;

export async function createSavedFilter(db: Database, ownerId: string, given: NewFilter): Promise<string> {
  return uniquely(() =>
    transaction(db, async (tx) => {
      await lockOwner(tx, ownerId);
      const count = await countFilters(tx, ownerId);
      if (count.total >= MAX_SAVED_FILTERS)
        throw new Failure(
          new LimitError('LIMIT_EXCEEDED', `You have ${MAX_SAVED_FILTERS} saved filters: delete one first.`, {
            limit: MAX_SAVED_FILTERS,
          }),
        );
      const row = filled(given, { id: uuid(), ownerId, position: Math.min(count.lastPosition + 1, MAX_POSITION) });
      await requireValid(tx, given, row);
      await insertFilter(tx, row);
      await share(tx, row, given);
      return row.id;
    }),
  );
}

export async function updateSavedFilter(
  db: Database,
  operatorId: string,
  target: { id: string; expectedVersion: number },
  changes: FilterChanges,
): Promise<void> {
  await uniquely(() =>
    transaction(db, async (tx) => {
      const row = await ownFilter(tx, target.id, operatorId);
      if (row.version !== target.expectedVersion)
        throw new Failure(
          new StaleStateError('The filter was changed meanwhile: load it again.', { currentVersion: row.version }),
        );
      const { sharedWithOperatorIds: _, ...columns } = changes;
      const changed: SavedFilterRow = { ...row, ...columns, nameKey: nameKey(changes.name ?? row.name) };
      if (changes.filter) changed.schemaVersion = FILTER_VERSION;
      await requireValid(tx, changes, changed, row.sharedWith);
      await updateFilter(tx, { ...changed, name: changed.name.trim() });
      await share(tx, changed, changes);
    }),
  );
}

/** Gives back true also where it was deleted before: the wish is fulfilled either way. */
export async function deleteSavedFilter(db: Database, operatorId: string, id: string): Promise<void> {
  await transaction(db, async (tx) => {
    await ownFilter(tx, id, operatorId);
    await deleteFilter(tx, id);
  });
}

/** Seen by its owner, and while shared by those it is shared with: all operators where nobody is named. */
export function seesFilter(
  operatorId: string,
  filter: Pick<SavedFilterRow, 'ownerId' | 'visibility'>,
  sharedWith: readonly string[],
): boolean {
  if (filter.ownerId === operatorId) return true;
  return filter.visibility === 'SHARED' && (sharedWith.length === 0 || sharedWith.includes(operatorId));
}

async function ownFilter(
  tx: Transaction,
  id: string,
  operatorId: string,
): Promise<SavedFilterRow & { sharedWith: string[] }> {
  const row = await lockFilter(tx, id);
  if (!row || !seesFilter(operatorId, row, row.sharedWith))
    throw new Failure(new NotFoundError('There is no such saved filter.', ['input', 'id']));
  if (row.ownerId !== operatorId) throw new Failure(new ForbiddenError('Only its owner may change a shared filter.'));
  return row;
}

function filled(given: NewFilter, made: Pick<SavedFilterRow, 'id' | 'ownerId' | 'position'>): SavedFilterRow {
  return {
    ...made,
    name: given.name.trim(),
    nameKey: nameKey(given.name),
    color: given.color ?? null,
    visibility: given.visibility,
    filter: given.filter,
    search: given.search ?? null,
    searchColumns: given.searchColumns ?? [],
    sortField: given.sortField ?? 'LAST_MESSAGE_AT',
    sortDirection: given.sortDirection ?? 'DESC',
    schemaVersion: FILTER_VERSION,
    version: 1,
  };
}

/** Unique without regard to case (ß is SS): what differs in accents only is another name. */
function nameKey(name: string): string {
  return name.trim().toUpperCase().toLowerCase().normalize('NFC');
}

/** Every problem at once. */
async function requireValid(
  tx: Transaction,
  given: FilterChanges,
  row: SavedFilterRow,
  sharedBefore: readonly string[] = [],
): Promise<void> {
  const problems: UserError[] = [];
  const length = Array.from(row.name.trim()).length;
  if (length < 1 || length > MAX_NAME || foldLine(row.name) === '')
    problems.push(new ValidationError('LENGTH', `A name has 1 to ${MAX_NAME} characters.`, ['input', 'name']));
  if (row.color !== null && !COLOR.test(row.color))
    problems.push(new ValidationError('COLOR', 'Give a colour as #rrggbb.', ['input', 'color']));
  problems.push(...positionProblems(given.position ?? 0));
  problems.push(...(await shareProblems(tx, given.sharedWithOperatorIds ?? [], row, sharedBefore)));
  if (problems.length > 0) throw new Failure(...problems);
}

function positionProblems(position: number): UserError[] {
  const path = ['input', 'position'];
  if (position < 0) return [new ValidationError('NEGATIVE', 'A position is 0 or more.', path)];
  if (position <= MAX_POSITION) return [];
  return [new ValidationError('TOO_LARGE', `A position is at most ${MAX_POSITION}.`, path)];
}

async function shareProblems(
  tx: Transaction,
  ids: string[],
  row: SavedFilterRow,
  sharedBefore: readonly string[],
): Promise<UserError[]> {
  const path = ['input', 'sharedWithOperatorIds'];
  if (ids.length === 0) return [];
  if (row.visibility !== 'SHARED')
    return [new ValidationError('NOT_SHARED', 'A private filter is shared with nobody.', path)];
  if (ids.length > MAX_SHARES) return [new ValidationError('TOO_MANY', `At most ${MAX_SHARES} operators.`, path)];
  // Who was deactivated since stays named, so that the list can be sent back as it was given out.
  const added = ids.filter((id) => !sharedBefore.includes(id));
  const missing = await missingOperators(tx, added);
  return missing.length === 0 ? [] : [new NotFoundError('There is no such operator.', path)];
}

async function share(tx: Transaction, row: SavedFilterRow, given: FilterChanges): Promise<void> {
  if (row.visibility === 'PRIVATE') return replaceShares(tx, row.id, []);
  if (given.sharedWithOperatorIds) await replaceShares(tx, row.id, [...new Set(given.sharedWithOperatorIds)]);
}

async function uniquely<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error;
    throw new Failure(new LimitError('DUPLICATE', 'You have a filter of this name.', {}, ['input', 'name']));
  }
}
