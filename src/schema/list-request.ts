import DataLoader from 'dataloader';
import { hasScope, type Viewer } from '../auth.ts';
import type { Context } from '../context.ts';
import type { ConversationOrder } from '../db/statements/conversation-page.ts';
import { badInput, forbidden } from '../errors.ts';
import type { SavedFilter } from '../generated/prisma/client.ts';
import type { ConversationFilter } from '../services/list/filter.ts';
import { filterProblem } from '../services/list/filter-limits.ts';
import {
  forbiddenLeaf,
  maySearch,
  needsOperators,
  type ConversationSearch,
  type ListFacts,
  type ListQuery,
  type ListViewer,
} from '../services/list/list-query.ts';
import { MAX_SEARCH_LENGTH } from '../services/list/search.ts';
import { migrateFilter, reviveFilter } from '../services/list/stored-filter.ts';
import { seesFilter } from '../services/saved-filters.ts';
import { isLongerThan } from '../services/text-length.ts';
import { argumentId } from './global-id.ts';
import { perContext } from './per-context.ts';

export type ListArguments = {
  filter?: ConversationFilter | null;
  savedFilterId?: string | null;
  search?: ConversationSearch | null;
  timeZone?: string | null;
};

/** What a client asked for, checked: the arguments are named in what is refused. Filter and saved filter mean both. */
export async function requestedList(
  { filter, savedFilterId, search }: ListArguments,
  context: Context,
): Promise<{ query: ListQuery; order: ConversationOrder | null }> {
  if (search) requireSearch(search, context.viewer);
  const filters = filter ? [checkedFilter(filter, context.viewer)] : [];
  const searches = search ? [search] : [];
  if (savedFilterId == null) return { query: { filters, searches }, order: null };
  const saved = await findSavedFilter(savedFilterId, context);
  const list = savedList(saved);
  return {
    query: { filters: [...filters, ...list.filters], searches: [...searches, ...list.searches] },
    order: { field: saved.sortField, direction: saved.sortDirection },
  };
}

/** The list of a saved filter. One that a later release wrote holds nothing. */
export function savedList(saved: SavedFilter): ListQuery {
  const { search, searchColumns } = saved;
  return {
    filters: [withRowIds(storedFilter(saved) ?? { or: [] }, 'filter')],
    searches: search === null ? [] : [{ query: search, columns: searchColumns.length > 0 ? searchColumns : null }],
  };
}

/** As clients write it; null where it cannot be read. */
export function storedFilter(saved: Pick<SavedFilter, 'filter' | 'schemaVersion'>): ConversationFilter | null {
  const filter = migrateFilter(saved.filter, saved.schemaVersion);
  return filter && reviveFilter(filter);
}

async function findSavedFilter(global: string, context: Context): Promise<SavedFilter> {
  const id = argumentId('SavedFilter', global, 'savedFilterId');
  const saved = await savedFilterLoader(context).load(id);
  if (!saved) throw badInput('savedFilterId: there is no such saved filter.', 'savedFilterId');
  return saved;
}

/** Saved filters that the viewer may see; a token sees none. */
export const savedFilterLoader = perContext(
  ({ db, viewer }) =>
    new DataLoader(async (ids: readonly string[]) => {
      const rows = await db.prisma.savedFilter.findMany({
        where: { id: { in: [...ids] } },
        include: { sharedWith: true },
        relationLoadStrategy: 'join',
      });
      const seen = rows.filter(
        (row) =>
          viewer?.kind === 'operator' &&
          seesFilter(
            viewer.operatorId,
            row,
            row.sharedWith.map((share) => share.operatorId),
          ),
      );
      const byId = new Map(seen.map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id) ?? null);
    }),
);

/** The filter with the ids of rows. */
export function checkedFilter(filter: ConversationFilter, viewer: Viewer | null, path = 'filter'): ConversationFilter {
  const problem = filterProblem(filter, path);
  if (problem) throw badInput(`${problem.path}: ${problem.message}`, problem.path);
  const leaf = forbiddenLeaf(filter, listViewer(viewer), path);
  if (leaf) throw forbidden(`${leaf}: you may not see this value, so you may not filter by it.`, undefined, leaf);
  return withRowIds(filter, path);
}

export function requireSearch({ query, columns }: ConversationSearch, viewer: Viewer | null): void {
  if (isLongerThan(query, MAX_SEARCH_LENGTH))
    throw badInput(`search.query has at most ${MAX_SEARCH_LENGTH} characters.`, 'search.query');
  if (columns?.length === 0)
    throw badInput('search.columns must not be empty; leave it out for all.', 'search.columns');
  const hidden = columns?.find((column) => !maySearch(listViewer(viewer), column));
  if (hidden)
    throw forbidden(
      `search.columns: you may not see ${hidden}, so you may not search it.`,
      undefined,
      'search.columns',
    );
}

export function withRowIds(filter: ConversationFilter, path: string): ConversationFilter {
  const each = (name: 'and' | 'or') =>
    filter[name]?.map((child, index) => withRowIds(child, `${path}.${name}.${index}`));
  const ids = (type: string, name: 'businessNumberIds' | 'lastRepliedByIds') =>
    filter[name]?.map((id) => argumentId(type, id, `${path}.${name}`));
  return {
    ...filter,
    and: each('and'),
    or: each('or'),
    not: filter.not && withRowIds(filter.not, `${path}.not`),
    businessNumberIds: ids('BusinessNumber', 'businessNumberIds'),
    lastRepliedByIds: ids('Operator', 'lastRepliedByIds'),
  };
}

export function listViewer(viewer: Viewer | null): ListViewer {
  return {
    operatorId: viewer?.kind === 'operator' ? viewer.operatorId : null,
    businessNumberIds: viewer?.kind === 'token' ? viewer.businessNumberIds : null,
    hasScope: (scope) => hasScope(viewer, scope),
  };
}

export async function listFacts(
  queries: readonly ListQuery[],
  timeZone: string | null | undefined,
  { db, readModule }: Context,
): Promise<ListFacts> {
  const [module, operators] = await Promise.all([
    readModule.current(),
    queries.some(needsOperators) ? db.prisma.operator.findMany({ select: { id: true, displayName: true } }) : [],
  ]);
  const { settings, numbers } = module;
  return {
    now: new Date(),
    timeZone: timeZone ?? settings.timeZone,
    windowWarningMinutes: settings.windowWarningMinutes,
    directory: { businessNumbers: numbers, operators },
  };
}
