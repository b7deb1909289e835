import DataLoader from 'dataloader';
import { hasPermission, hasScope } from '../auth.ts';
import type { Context } from '../context.ts';
import { forbidden } from '../errors.ts';
import type { SnapshotSource, SnapshotStream } from '../events/stream-source.ts';
import type { Conversation as ConversationRow } from '../generated/prisma/client.ts';
import type { Present } from '../presence/conversation-presence.ts';
import { requireModule } from '../services/module.ts';
import { showTyping } from '../services/receipts.ts';
import { builder } from './builder.ts';
import { Conversation } from './conversation.ts';
import { ConversationPayload } from './conversation-mutations.ts';
import { argumentId } from './global-id.ts';
import { Operator } from './operator.ts';
import { forbiddenWithout, requireOperator, visibleConversation } from './rights.ts';
import { streamed } from './streamed.ts';
import { payload } from './user-error.ts';
import { visibleConversationRow } from './visibility.ts';
import { reads } from './wanted-rows.ts';

/** Mutations over HTTP carry no connection: all of one operator are one. */
const WITHOUT_CONNECTION = 'http';
const INTERVAL_MS = 200;

const ConversationPresence = builder.objectRef<Present>('ConversationPresence').implement({
  description: 'An operator who looks at a conversation now; several tabs of one are one.',
  fields: (t) => ({
    operator: t.field({
      type: Operator,
      resolve: async ({ operatorId }, _args, { loaders }) => {
        const operator = await loaders.operator.load(operatorId);
        if (!operator) throw new Error('an operator who is present is missing');
        return operator;
      },
    }),
    typing: t.exposeBoolean('typing'),
    since: t.expose('since', { type: 'DateTime' }),
  }),
});

builder.prismaObjectField(Conversation, 'presentOperators', (t) =>
  t.field({
    type: [ConversationPresence],
    extensions: reads<ConversationRow>('id'),
    description: 'Operators looking at or typing in this conversation right now, the viewer among them.',
    resolve: ({ id }, _args, context) => loaderOf(context).load(id),
  }),
);

const loaders = new WeakMap<Context, DataLoader<string, Present[]>>();

/** One reading for all conversations of a page. */
function loaderOf(context: Context): DataLoader<string, Present[]> {
  const known = loaders.get(context);
  if (known) return known;
  const loader = new DataLoader<string, Present[]>((ids) => context.presence.of(ids));
  loaders.set(context, loader);
  return loader;
}

const SetConversationPresenceInput = builder.inputType('SetConversationPresenceInput', {
  fields: (t) => ({
    conversationId: t.id({ required: true }),
    present: t.boolean({ required: true, description: 'False when the conversation is left.' }),
    typing: t.boolean({ required: true, defaultValue: false }),
  }),
});

builder.mutationField('setConversationPresence', (t) =>
  t.field({
    type: ConversationPayload,
    description:
      'Tells colleagues that the viewer looks at or types in a conversation. It runs out by itself: repeat it every 20 seconds, and while typing every 5. What came over a WebSocket ends with it. Where it is an answer to what was read, the customer sees that somebody types. Needs READ_CONVERSATIONS; operators only.',
    args: { input: t.arg({ type: SetConversationPresenceInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload(async () => {
        const { operatorId } = requireOperator(context.viewer, 'READ_CONVERSATIONS');
        requireModule(context.readModule.present(), 'enabled');
        const conversationId = await visibleConversation(input.conversationId, context);
        const { present, typing } = input;
        const clientId = context.connectionId ?? WITHOUT_CONNECTION;
        const told = { conversationId, operatorId, clientId, present, typing };
        const hasBegun = await context.presence.set(told);
        if (hasBegun && hasPermission(context.viewer, 'REPLY')) await showTyping(context.db, conversationId);
        return { conversationId };
      }),
  }),
);

const presentNow: SnapshotSource<Present[]> = {
  kind: 'snapshot',
  async open(args, context) {
    if (!hasScope(context.viewer, 'READ_CONVERSATIONS'))
      throw forbiddenWithout('READ_CONVERSATIONS', context.viewer, 'You may not see this conversation.');
    const global = (args as { conversationId: string }).conversationId;
    const conversation = await visibleConversationRow(argumentId('Conversation', global, 'conversationId'), context);
    if (!conversation) throw forbidden('There is no such conversation, or you may not see it.');
    return followPresence(conversation.id, context);
  },
};

/** A conversation lives on in the one that it is merged into. */
function followPresence(conversationId: string, { presence }: Context): SnapshotStream<Present[]> {
  let id = conversationId;
  let tell = () => {};
  let unwatch = () => {};
  return {
    intervalMs: INTERVAL_MS,
    watch(changed) {
      tell = changed;
      unwatch = presence.watch(id, tell);
      return () => unwatch();
    },
    concerns({ conversationId: changedId, data }) {
      if (changedId !== id || typeof data.mergedIntoId !== 'string') return false;
      unwatch();
      id = data.mergedIntoId;
      unwatch = presence.watch(id, tell);
      return true;
    },
    read: async () => (await presence.of([id]))[0] ?? [],
  };
}

builder.subscriptionField('conversationPresence', (t) =>
  t.field({
    type: [ConversationPresence],
    description:
      'Who looks at or types in this conversation: the present state at once, then every change. It has no cursor.',
    args: { conversationId: t.arg.id({ required: true }) },
    ...streamed(presentNow),
    resolve: (present) => present,
  }),
);
