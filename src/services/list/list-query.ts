import { all, everything, type Condition } from '../../db/condition.ts';
import type { TokenScope } from '../../generated/prisma/enums.ts';
import { filterCondition, type ConversationFilter, type FilterFacts } from './filter.ts';
import { childFilters, filtersIn, relativeZones } from './filter-tree.ts';
import { searchColumns, searchCondition, type SearchColumn } from './search.ts';
import type { Directory, TextColumn } from './text-conditions.ts';

export type ConversationSearch = { query: string; columns?: readonly SearchColumn[] | null };

/** One list: everything in it holds together. */
export type ListQuery = { filters: readonly ConversationFilter[]; searches: readonly ConversationSearch[] };

/** Who looks, as far as it changes what a list holds. */
export type ListViewer = {
  operatorId: string | null;
  /** Null: every business number. */
  businessNumberIds: ReadonlySet<string> | null;
  hasScope: (scope: TokenScope) => boolean;
};

export type ListFacts = { now: Date; timeZone: string; windowWarningMinutes: number; directory: Directory };

/** What a token without the scope may neither see nor find out by filtering and searching. */
const scopeOfColumn: Partial<Record<SearchColumn, TokenScope>> = {
  PARTICIPANT: 'READ_CONTACT_DATA',
  LAST_MESSAGE: 'READ_MESSAGE_BODIES',
  MESSAGES: 'READ_MESSAGE_BODIES',
  REQUEST_CODE: 'READ_REQUESTS',
};

const scopeOfLeaf: Partial<Record<keyof ConversationFilter, TokenScope>> = {
  participant: 'READ_CONTACT_DATA',
  lastMessage: 'READ_MESSAGE_BODIES',
  requestCode: 'READ_REQUESTS',
  hasRequests: 'READ_REQUESTS',
};

const shownColumns = searchColumns.filter((column) => column !== 'MESSAGES');

/** The conversations of a list that this viewer may see. */
export function listCondition(query: ListQuery, viewer: ListViewer, facts: ListFacts): Condition {
  const filterFacts: FilterFacts = {
    ...facts,
    operatorId: viewer.operatorId,
    anyColumns: shownColumns.filter((column): column is TextColumn => maySearch(viewer, column)),
  };
  return all(
    visibleTo(viewer),
    ...query.filters.map((filter) => filterCondition(filter, filterFacts)),
    ...query.searches.map(({ query, columns }) =>
      searchCondition(query, columns ?? searchColumns.filter((column) => maySearch(viewer, column)), facts.directory),
    ),
  );
}

/** A conversation that was merged into another lives on there. */
export function visibleTo({ businessNumberIds }: Pick<ListViewer, 'businessNumberIds'>): Condition {
  const ofNumbers: Condition = businessNumberIds
    ? { is: 'in', column: 'businessNumberId', values: [...businessNumberIds] }
    : everything;
  return all({ is: 'null', column: 'mergedIntoId' }, ofNumbers);
}

export function maySearch({ hasScope }: Pick<ListViewer, 'hasScope'>, column: SearchColumn): boolean {
  const scope = scopeOfColumn[column];
  return scope === undefined || hasScope(scope);
}

/** The first leaf that the viewer may not filter by, as a path, or null. */
export function forbiddenLeaf(
  filter: ConversationFilter,
  viewer: Pick<ListViewer, 'hasScope'>,
  path = 'filter',
): string | null {
  for (const [name, scope] of Object.entries(scopeOfLeaf)) {
    // The names are those of the table above.
    if (filter[name as keyof ConversationFilter] != null && !viewer.hasScope(scope)) return `${path}.${name}`;
  }
  for (const { child, at } of childFilters(filter, path)) {
    const found = forbiddenLeaf(child, viewer, at);
    if (found) return found;
  }
  return null;
}

/** Whether names of operators must be known to say what the list holds. */
export function needsOperators({ filters, searches }: ListQuery): boolean {
  return (
    searches.some(({ columns }) => !columns || columns.includes('OPERATOR')) ||
    filters.flatMap(filtersIn).some(({ anyColumn }) => anyColumn != null)
  );
}

/** Whether it depends on who asks, besides their rights. */
export function isPersonal({ filters }: ListQuery): boolean {
  return filters.flatMap(filtersIn).some(({ lastRepliedByMe }) => lastRepliedByMe != null);
}

/** Whether time alone changes what it holds. */
export function movesWithTime({ filters }: ListQuery): boolean {
  return filters.some(
    (filter) => relativeZones(filter).length > 0 || filtersIn(filter).some(({ windowState }) => windowState != null),
  );
}
