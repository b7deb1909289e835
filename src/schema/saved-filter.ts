import DataLoader from 'dataloader';
import type { Context } from '../context.ts';
import { countLists } from '../db/statements/conversation-page.ts';
import type { SavedFilter as SavedFilterRow } from '../generated/prisma/client.ts';
import { FilterVisibility as Visibilities } from '../generated/prisma/enums.ts';
import { listCondition } from '../services/list/list-query.ts';
import { compactFilter } from '../services/list/stored-filter.ts';
import { builder } from './builder.ts';
import { ConversationSearchColumn, ConversationSortField, SortDirection } from './conversation-filter.ts';
import { listFacts, listViewer, savedFilterLoader, savedList, storedFilter } from './list-request.ts';
import { findable } from './node.ts';
import { Operator } from './operator.ts';
import { perContext } from './per-context.ts';
import { savedFilterProblems } from './saved-filter-problems.ts';

export const FilterVisibility = builder.enumType(Visibilities, {
  name: 'FilterVisibility',
  description: 'SHARED: with the operators that are named, or with all where none is.',
});

export const SavedFilter = builder.prismaNode('SavedFilter', {
  id: { field: 'id' },
  description: 'A named list. Everybody who opens it sees what they themselves may see.',
  authScopes: { permission: 'READ_CONVERSATIONS' },
  runScopesOnType: true,
  fields: (t) => ({
    name: t.exposeString('name'),
    color: t.exposeString('color', { nullable: true, description: 'As #rrggbb.' }),
    owner: t.field({
      type: Operator,
      resolve: async ({ ownerId }, _args, { loaders }) => {
        const owner = await loaders.operator.load(ownerId);
        if (!owner) throw new Error('a row that a foreign key promises is missing');
        return owner;
      },
    }),
    visibility: t.expose('visibility', { type: FilterVisibility }),
    sharedWith: t.field({
      type: [Operator],
      description: 'Empty where it is private, or shared with all.',
      resolve: (filter, _args, context) => sharedWith(filter, context),
    }),
    filter: t.field({
      type: 'ConversationFilterJSON',
      description: 'Send it back unchanged as a ConversationFilterInput variable: the result is the same.',
      resolve: (filter) => compactFilter(storedFilter(filter) ?? { or: [] }),
    }),
    search: t.exposeString('search', { nullable: true }),
    searchColumns: t.expose('searchColumns', {
      type: [ConversationSearchColumn],
      description: 'Empty where all are searched.',
    }),
    sortField: t.expose('sortField', { type: ConversationSortField }),
    sortDirection: t.expose('sortDirection', { type: SortDirection }),
    position: t.exposeInt('position', { description: "Among its owner's filters." }),
    problems: t.stringList({
      description:
        'Parts that no longer resolve, such as an operator who left. They match nothing new and fail nothing.',
      resolve: (filter, _args, context) => savedFilterProblems(filter, context),
    }),
    conversationCount: t.int({
      description: 'How many conversations it holds for the viewer.',
      args: { timeZone: t.arg({ type: 'TimeZone', description: "Of relative days; else the organisation's." }) },
      resolve: (filter, { timeZone }, context) => countLoader(context).load({ filter, timeZone: timeZone ?? null }),
    }),
    schemaVersion: t.exposeInt('schemaVersion', {
      description: 'In which form it is stored; it is read in the newest.',
    }),
    version: t.exposeInt('version', { description: 'Grows with every change.' }),
  }),
});

findable('SavedFilter', { permission: 'READ_CONVERSATIONS' }, (id, context) => savedFilterLoader(context).load(id));

builder.queryField('savedFilters', (t) =>
  t.field({
    type: [SavedFilter],
    nullable: true,
    description: "The viewer's own filters in their order, then those shared with them. For operators.",
    authScopes: { permission: 'READ_CONVERSATIONS' },
    resolve: (_root, _args, context) => visibleFilters(context),
  }),
);

const MAX_SHARED = 500;

async function visibleFilters({ db, viewer }: Context): Promise<SavedFilterRow[]> {
  if (viewer?.kind !== 'operator') return [];
  const { operatorId } = viewer;
  const [own, shared] = await Promise.all([
    db.prisma.savedFilter.findMany({
      where: { ownerId: operatorId },
      orderBy: [{ position: 'asc' }, { nameKey: 'asc' }],
    }),
    db.prisma.savedFilter.findMany({
      where: {
        ownerId: { not: operatorId },
        visibility: 'SHARED',
        OR: [{ sharedWith: { none: {} } }, { sharedWith: { some: { operatorId } } }],
      },
      orderBy: [{ ownerId: 'asc' }, { position: 'asc' }, { nameKey: 'asc' }],
      take: MAX_SHARED,
    }),
  ]);
  return [...own, ...shared];
}

async function sharedWith({ id }: SavedFilterRow, context: Context) {
  const saved = await savedFilterLoader(context).load(id);
  const shares = saved?.sharedWith ?? [];
  const operators = await Promise.all(shares.map(({ operatorId }) => context.loaders.operator.load(operatorId)));
  return operators.filter((operator) => operator !== null);
}

type Counted = { filter: SavedFilterRow; timeZone: string | null };

/** All counts of an answer in one statement. */
const countLoader = perContext(
  (context) =>
    new DataLoader<Counted, number, string>(
      async (wanted) => {
        const lists = wanted.map(({ filter, timeZone }) => ({ list: savedList(filter), timeZone }));
        const facts = await listFacts(
          lists.map(({ list }) => list),
          null,
          context,
        );
        const conditions = lists.map(({ list, timeZone }) =>
          listCondition(list, listViewer(context.viewer), { ...facts, timeZone: timeZone ?? facts.timeZone }),
        );
        return countLists(context.db.pool, conditions);
      },
      { cacheKeyFn: ({ filter, timeZone }) => `${filter.id} ${filter.version} ${timeZone}` },
    ),
);
