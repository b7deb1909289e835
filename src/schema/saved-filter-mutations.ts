import type { Viewer } from '../auth.ts';
import type { Context } from '../context.ts';
import { Failure, NotFoundError, Refusal, ValidationError } from '../errors.ts';
import type { UserError as UserErrorShape } from '../errors.ts';
import type { ConversationFilter } from '../services/list/filter.ts';
import type { ConversationSearch } from '../services/list/list-query.ts';
import { compactFilter } from '../services/list/stored-filter.ts';
import { requireModule } from '../services/module.ts';
import {
  createSavedFilter,
  deleteSavedFilter,
  MAX_POSITION,
  updateSavedFilter,
  type FilterChanges,
} from '../services/saved-filters.ts';
import { builder } from './builder.ts';
import { ConversationFilterInput, ConversationOrderInput, ConversationSearchInput } from './conversation-filter.ts';
import { inputId, rowId } from './global-id.ts';
import { checkedFilter, requireSearch, savedFilterLoader } from './list-request.ts';
import { requireOperator } from './rights.ts';
import { FilterVisibility, SavedFilter } from './saved-filter.ts';
import { payload, UserError } from './user-error.ts';

type Saved = { id?: string; errors: UserErrorShape[] };

const SavedFilterPayload = builder.objectRef<Saved>('SavedFilterPayload').implement({
  fields: (t) => ({
    savedFilter: t.field({
      type: SavedFilter,
      nullable: true,
      resolve: ({ id }, _args, context) => (id ? savedFilterLoader(context).load(id) : null),
    }),
    errors: t.field({ type: [UserError], resolve: ({ errors }) => errors }),
  }),
});

const DeleteSavedFilterPayload = builder
  .objectRef<{ deletedId?: string; errors: UserErrorShape[] }>('DeleteSavedFilterPayload')
  .implement({
    fields: (t) => ({
      deletedId: t.id({ nullable: true, resolve: ({ deletedId }) => deletedId ?? null }),
      errors: t.field({ type: [UserError], resolve: ({ errors }) => errors }),
    }),
  });

const CreateSavedFilterInput = builder.inputType('CreateSavedFilterInput', {
  fields: (t) => ({
    name: t.string({ required: true, description: '1 to 60 characters, unique for its owner without regard to case.' }),
    color: t.string({ description: 'As #rrggbb.' }),
    filter: t.field({ type: ConversationFilterInput, required: true }),
    search: t.field({ type: ConversationSearchInput }),
    orderBy: t.field({ type: ConversationOrderInput }),
    visibility: t.field({ type: FilterVisibility, required: true, defaultValue: 'PRIVATE' }),
    sharedWithOperatorIds: t.idList({
      required: true,
      defaultValue: [],
      description: 'With all operators where it is SHARED and nobody is named.',
    }),
  }),
});

const UpdateSavedFilterInput = builder.inputType('UpdateSavedFilterInput', {
  description: 'What is left out stays as it is; null clears the colour and the search.',
  fields: (t) => ({
    id: t.id({ required: true }),
    expectedVersion: t.int({ required: true }),
    name: t.string(),
    color: t.string(),
    filter: t.field({ type: ConversationFilterInput }),
    search: t.field({ type: ConversationSearchInput }),
    orderBy: t.field({ type: ConversationOrderInput }),
    visibility: t.field({ type: FilterVisibility }),
    sharedWithOperatorIds: t.idList(),
    position: t.int({ description: `0 to ${MAX_POSITION}: the order among the owner's filters.` }),
  }),
});

const DeleteSavedFilterInput = builder.inputType('DeleteSavedFilterInput', {
  fields: (t) => ({ id: t.id({ required: true }) }),
});

builder.mutationField('createSavedFilter', (t) =>
  t.field({
    type: SavedFilterPayload,
    description: 'At most 50 for each operator. Needs MANAGE_SAVED_FILTERS.',
    args: { input: t.arg({ type: CreateSavedFilterInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload(async () => {
        const ownerId = await requireOwner(context);
        const { name, visibility } = input;
        const { filter = {}, ...changes } = changesOf(input, context.viewer);
        return { id: await createSavedFilter(context.db, ownerId, { ...changes, name, filter, visibility }) };
      }),
  }),
);

builder.mutationField('updateSavedFilter', (t) =>
  t.field({
    type: SavedFilterPayload,
    description: 'Only by its owner. Needs MANAGE_SAVED_FILTERS.',
    args: { input: t.arg({ type: UpdateSavedFilterInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload(async () => {
        const ownerId = await requireOwner(context);
        const id = inputId('SavedFilter', input.id, 'id');
        const changes = changesOf(input, context.viewer);
        await updateSavedFilter(context.db, ownerId, { id, expectedVersion: input.expectedVersion }, changes);
        savedFilterLoader(context).clear(id);
        return { id };
      }),
  }),
);

builder.mutationField('deleteSavedFilter', (t) =>
  t.field({
    type: DeleteSavedFilterPayload,
    description: 'Only by its owner. Needs MANAGE_SAVED_FILTERS.',
    args: { input: t.arg({ type: DeleteSavedFilterInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload(async () => {
        const ownerId = await requireOwner(context);
        await deleteSavedFilter(context.db, ownerId, inputId('SavedFilter', input.id, 'id'));
        return { deletedId: input.id };
      }),
  }),
);

async function requireOwner({ viewer, readModule }: Context): Promise<string> {
  const { operatorId } = requireOperator(viewer, 'MANAGE_SAVED_FILTERS');
  requireModule(await readModule.current(), 'enabled');
  return operatorId;
}

type Input = {
  name?: string | null;
  color?: string | null;
  filter?: ConversationFilter | null;
  search?: ConversationSearch | null;
  orderBy?: { field: FilterChanges['sortField'] & string; direction: FilterChanges['sortDirection'] & string } | null;
  visibility?: FilterChanges['visibility'] | null;
  sharedWithOperatorIds?: string[] | null;
  position?: number | null;
};

/** Null clears what may be empty and changes nothing else. */
function changesOf(input: Input, viewer: Viewer | null): FilterChanges {
  const { name, color, filter, search, orderBy, visibility, sharedWithOperatorIds, position } = input;
  requireList(filter, search, viewer);
  return {
    ...(name != null && { name }),
    ...(color !== undefined && { color }),
    ...(filter && { filter: compactFilter(filter) }),
    ...(search !== undefined && { search: search?.query ?? null, searchColumns: [...(search?.columns ?? [])] }),
    ...(orderBy && { sortField: orderBy.field, sortDirection: orderBy.direction }),
    ...(visibility && { visibility }),
    ...(sharedWithOperatorIds && { sharedWithOperatorIds: sharedWithOperatorIds.map(operatorId) }),
    ...(position != null && { position }),
  };
}

/** What a list would refuse as an argument is refused here as a value of the input. */
function requireList(
  filter: ConversationFilter | null | undefined,
  search: ConversationSearch | null | undefined,
  viewer: Viewer | null,
): void {
  try {
    if (filter) checkedFilter(filter, viewer);
    if (search) requireSearch(search, viewer);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { argument } = error.extensions;
    const path = typeof argument === 'string' ? argument.split('.') : ['filter'];
    throw new Failure(new ValidationError('FILTER', error.message, ['input', ...path]));
  }
}

function operatorId(global: string): string {
  const id = rowId('Operator', global);
  if (id === null)
    throw new Failure(new NotFoundError('There is no such operator.', ['input', 'sharedWithOperatorIds']));
  return id;
}
