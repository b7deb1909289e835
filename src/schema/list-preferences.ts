import type { Viewer as ViewerShape } from '../auth.ts';
import type { Context } from '../context.ts';
import { Failure, NotFoundError } from '../errors.ts';
import type { Conversation as ConversationRow, ListPreferences } from '../generated/prisma/client.ts';
import { shownColumns, type ShownColumn } from '../services/list-columns.ts';
import {
  allSearchColumns,
  conversationColumns,
  MAX_OPEN_CONVERSATIONS,
  operatorColumns,
  requireFewTabs,
  setOpenConversations,
  updateConversationList,
  updateOperatorList,
  type ConversationColumn as ConversationColumnName,
  type OperatorColumn as OperatorColumnName,
} from '../services/list-preferences.ts';
import { requireModule } from '../services/module.ts';
import { builder } from './builder.ts';
import { Conversation } from './conversation.ts';
import { ConversationSearchColumn } from './conversation-filter.ts';
import { rowId } from './global-id.ts';
import { mayAccess, requireOperator } from './rights.ts';
import { payload } from './user-error.ts';
import { Viewer, ViewerPayload } from './viewer.ts';
import { visibleConversationRow } from './visibility.ts';

const ConversationColumn = builder.enumType('ConversationColumn', {
  description: 'A column of the conversation table.',
  values: conversationColumns,
});
const OperatorColumn = builder.enumType('OperatorColumn', {
  description: 'A column of the operator table.',
  values: operatorColumns,
});

const ConversationColumnPreference = builder
  .objectRef<ShownColumn<ConversationColumnName>>('ConversationColumnPreference')
  .implement({
    fields: (t) => ({
      column: t.expose('column', { type: ConversationColumn }),
      visible: t.exposeBoolean('visible', {
        description: 'Hiding is for the eye only: it changes no right and no search.',
      }),
      position: t.exposeInt('position', { description: 'From 0.' }),
      locked: t.exposeBoolean('locked', { description: 'Cannot be hidden.' }),
    }),
  });

const OperatorColumnPreference = builder
  .objectRef<ShownColumn<OperatorColumnName>>('OperatorColumnPreference')
  .implement({
    fields: (t) => ({
      column: t.expose('column', { type: OperatorColumn }),
      visible: t.exposeBoolean('visible'),
      position: t.exposeInt('position', { description: 'From 0.' }),
      locked: t.exposeBoolean('locked', { description: 'Cannot be hidden.' }),
    }),
  });

type Kept = ListPreferences | null;

const ConversationListPreferences = builder.objectRef<{ kept: Kept }>('ConversationListPreferences').implement({
  description: "The viewer's conversation table; as it was at first for a token.",
  fields: (t) => ({
    columns: t.field({
      type: [ConversationColumnPreference],
      description: 'All columns in their order.',
      resolve: ({ kept }) => shownColumns(kept?.conversationColumns, conversationColumns),
    }),
    searchColumns: t.field({
      type: [ConversationSearchColumn],
      description: 'What the search box looks at; hidden columns may be among them.',
      resolve: ({ kept }) => (kept && kept.searchColumns.length > 0 ? kept.searchColumns : [...allSearchColumns]),
    }),
    summaryPanelOpen: t.boolean({ resolve: ({ kept }) => kept?.summaryPanelOpen ?? true }),
  }),
});

const OperatorListPreferences = builder.objectRef<{ kept: Kept }>('OperatorListPreferences').implement({
  description: "The viewer's operator table.",
  fields: (t) => ({
    columns: t.field({
      type: [OperatorColumnPreference],
      description: 'All columns in their order.',
      resolve: ({ kept }) => shownColumns(kept?.operatorColumns, operatorColumns),
    }),
  }),
});

builder.objectFields(Viewer, (t) => ({
  conversationList: t.field({ type: ConversationListPreferences, resolve: preferencesOf }),
  operatorList: t.field({ type: OperatorListPreferences, resolve: preferencesOf }),
  openConversations: t.field({
    type: [Conversation],
    description: 'The tabs, in their order. What became invisible drops out.',
    resolve: (viewer, _args, context) => openConversations(viewer, context),
  }),
}));

async function preferencesOf(viewer: ViewerShape, _args: object, context: Context): Promise<{ kept: Kept }> {
  return { kept: await keptOf(viewer, context) };
}

async function keptOf(viewer: ViewerShape, { db }: Context): Promise<Kept> {
  if (viewer.kind === 'token') return null;
  return db.prisma.listPreferences.findUnique({ where: { operatorId: viewer.operatorId } });
}

async function openConversations(viewer: ViewerShape, context: Context): Promise<ConversationRow[]> {
  if (!mayAccess(context, { scope: 'READ_CONVERSATIONS' })) return [];
  const ids = (await keptOf(viewer, context))?.openConversationIds ?? [];
  const rows = await Promise.all(ids.map((id) => visibleConversationRow(id, context)));
  // Two that turned out to be one lead to the same.
  return [...new Map(rows.filter((row) => row !== null).map((row) => [row.id, row])).values()];
}

const ConversationColumnInput = builder.inputType('ConversationColumnInput', {
  fields: (t) => ({
    column: t.field({ type: ConversationColumn, required: true }),
    visible: t.boolean({ required: true }),
  }),
});

const OperatorColumnInput = builder.inputType('OperatorColumnInput', {
  fields: (t) => ({
    column: t.field({ type: OperatorColumn, required: true }),
    visible: t.boolean({ required: true }),
  }),
});

const UpdateConversationListInput = builder.inputType('UpdateConversationListInput', {
  description: 'Left out: unchanged; null: as it was at first.',
  fields: (t) => ({
    columns: t.field({
      type: [ConversationColumnInput],
      description: 'The order of the list is that of the table; columns left out follow as they stood. Empty: reset.',
    }),
    searchColumns: t.field({ type: [ConversationSearchColumn], description: 'At least one.' }),
    summaryPanelOpen: t.boolean(),
  }),
});

const UpdateOperatorListInput = builder.inputType('UpdateOperatorListInput', {
  fields: (t) => ({
    columns: t.field({
      type: [OperatorColumnInput],
      required: true,
      description: 'The order of the list is that of the table; columns left out follow as they stood. Empty: reset.',
    }),
  }),
});

const SetOpenConversationsInput = builder.inputType('SetOpenConversationsInput', {
  fields: (t) => ({
    conversationIds: t.idList({
      required: true,
      description: `At most ${MAX_OPEN_CONVERSATIONS}, in the order of the tabs.`,
    }),
  }),
});

builder.mutationField('updateConversationList', (t) =>
  t.field({
    type: ViewerPayload,
    description: "Changes the viewer's conversation table. Needs READ_CONVERSATIONS; operators only.",
    args: { input: t.arg({ type: UpdateConversationListInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload(() => changed(context, (operatorId) => updateConversationList(context.db, operatorId, input))),
  }),
);

builder.mutationField('updateOperatorList', (t) =>
  t.field({
    type: ViewerPayload,
    description: "Changes the viewer's operator table. Needs READ_CONVERSATIONS; operators only.",
    args: { input: t.arg({ type: UpdateOperatorListInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload(() => changed(context, (operatorId) => updateOperatorList(context.db, operatorId, input.columns))),
  }),
);

builder.mutationField('setOpenConversations', (t) =>
  t.field({
    type: ViewerPayload,
    description:
      'Keeps the open tabs. Conversations that the viewer may not see are left out. Needs READ_CONVERSATIONS; operators only.',
    args: { input: t.arg({ type: SetOpenConversationsInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload(() =>
        changed(context, async (operatorId) => {
          const ids = input.conversationIds.map(conversationId);
          requireFewTabs(ids);
          await setOpenConversations(context.db, operatorId, await visibleOf(ids, context));
        }),
      ),
  }),
);

async function changed(context: Context, change: (operatorId: string) => Promise<void>) {
  const { operatorId } = requireOperator(context.viewer, 'READ_CONVERSATIONS');
  requireModule(context.readModule.present(), 'enabled');
  await change(operatorId);
  return { viewer: context.viewer };
}

function conversationId(global: string, index: number): string {
  const id = rowId('Conversation', global);
  if (id !== null) return id;
  const path = ['input', 'conversationIds', String(index)];
  throw new Failure(new NotFoundError('This is not the id of a conversation.', path));
}

async function visibleOf(ids: readonly string[], context: Context): Promise<string[]> {
  const rows = await Promise.all(ids.map((id) => visibleConversationRow(id, context)));
  return rows.flatMap((row) => row?.id ?? []);
}
