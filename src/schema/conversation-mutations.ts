import type { UserError as UserErrorShape } from '../errors.ts';
import { markConversationRead, setNoReplyNeeded } from '../services/conversations.ts';
import { requireModule } from '../services/module.ts';
import { builder } from './builder.ts';
import { Conversation } from './conversation.ts';
import { inputId } from './global-id.ts';
import { requireRight, visibleConversation } from './rights.ts';
import { payload, UserError } from './user-error.ts';

type Changed = { conversationId?: string; errors: UserErrorShape[] };

export const ConversationPayload = builder.objectRef<Changed>('ConversationPayload').implement({
  fields: (t) => ({
    conversation: t.field({
      type: Conversation,
      nullable: true,
      resolve: ({ conversationId }, _args, { loaders }) =>
        conversationId ? loaders.conversation.load(conversationId) : null,
    }),
    errors: t.field({ type: [UserError], resolve: ({ errors }) => errors }),
  }),
});

const MarkConversationReadInput = builder.inputType('MarkConversationReadInput', {
  fields: (t) => ({
    conversationId: t.id({ required: true }),
    upToMessageId: t.id({ required: true }),
    sendReadReceipt: t.boolean({
      required: true,
      defaultValue: true,
      description: 'Also tell the customer (blue ticks).',
    }),
  }),
});

const SetNoReplyNeededInput = builder.inputType('SetNoReplyNeededInput', {
  fields: (t) => ({
    conversationId: t.id({ required: true }),
    messageId: t.id({ required: true, description: 'The last message of the customer.' }),
    value: t.boolean({ required: true }),
  }),
});

builder.mutationField('markConversationRead', (t) =>
  t.field({
    type: ConversationPayload,
    description:
      'Moves the read horizon up to the named message; it never moves back. Needs REPLY, or a token with WRITE_MESSAGES and READ_CONVERSATIONS.',
    args: { input: t.arg({ type: MarkConversationReadInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload(async () => {
        requireRight(context.viewer, 'REPLY', 'WRITE_MESSAGES');
        const module = await context.readModule.current();
        requireModule(module, 'enabled');
        const conversationId = await visibleConversation(input.conversationId, context);
        const upToMessageId = inputId('Message', input.upToMessageId, 'upToMessageId');
        const { sendReadReceipt } = input;
        const mark = { conversationId, upToMessageId, sendReadReceipt };
        await markConversationRead(context.db, mark, context.rulesOf(module));
        return { conversationId };
      }),
  }),
);

builder.mutationField('setNoReplyNeeded', (t) =>
  t.field({
    type: ConversationPayload,
    description:
      'Ticks or unticks "no reply needed" for the last customer message. Safe to repeat. Needs REPLY, or a token with WRITE_MESSAGES and READ_CONVERSATIONS.',
    args: { input: t.arg({ type: SetNoReplyNeededInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload(async () => {
        const actor = requireRight(context.viewer, 'REPLY', 'WRITE_MESSAGES');
        const module = await context.readModule.current();
        requireModule(module, 'enabled');
        const conversationId = await visibleConversation(input.conversationId, context);
        const messageId = inputId('Message', input.messageId, 'messageId');
        await setNoReplyNeeded(
          context.db,
          actor,
          { conversationId, messageId, value: input.value },
          context.rulesOf(module),
        );
        return { conversationId };
      }),
  }),
);
