import type { UserError as UserErrorShape } from '../errors.ts';
import { markConversationRead, setNoReplyNeeded } from '../services/conversations.ts';
import { replyToConversation } from '../services/messages.ts';
import { requireModule } from '../services/module.ts';
import { builder } from './builder.ts';
import { Conversation } from './conversation.ts';
import { inputId } from './global-id.ts';
import { Message } from './message.ts';
import { requireRight, visibleConversation } from './rights.ts';
import { payload, UserError } from './user-error.ts';

type Changed = { conversationId?: string; messageId?: string; replayed?: boolean; errors: UserErrorShape[] };

const SendMessagePayload = builder.objectRef<Changed>('SendMessagePayload').implement({
  fields: (t) => ({
    message: t.field({
      type: Message,
      nullable: true,
      resolve: ({ messageId }, _args, { loaders }) => (messageId ? loaders.message.load(messageId) : null),
    }),
    conversation: t.field({
      type: Conversation,
      nullable: true,
      resolve: ({ conversationId }, _args, { loaders }) =>
        conversationId ? loaders.conversation.load(conversationId) : null,
    }),
    replayed: t.boolean({
      description: 'True where the same key and content were sent before: this is the first result.',
      resolve: ({ replayed }) => replayed ?? false,
    }),
    errors: t.field({ type: [UserError], resolve: ({ errors }) => errors }),
  }),
});

const ConversationPayload = builder.objectRef<Changed>('ConversationPayload').implement({
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

const ReplyToConversationInput = builder.inputType('ReplyToConversationInput', {
  fields: (t) => ({
    conversationId: t.id({ required: true }),
    text: t.string({ required: false, description: '1 to 4096 characters after trimming.' }),
    idempotencyKey: t.string({
      required: true,
      description: 'A repeat with the same content returns the first result. Kept at least 7 days.',
    }),
    expectedLastIncomingMessageId: t.id({
      required: false,
      description: 'Refuse if a newer customer message has arrived than the one seen.',
    }),
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

builder.mutationField('replyToConversation', (t) =>
  t.field({
    type: SendMessagePayload,
    description: 'Queues a reply and answers at once with it as PENDING. Needs REPLY, or a token with WRITE_MESSAGES.',
    args: { input: t.arg({ type: ReplyToConversationInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload(async () => {
        const actor = requireRight(context.viewer, 'REPLY', 'WRITE_MESSAGES');
        const module = await context.readModule.current();
        requireModule(module, 'ready');
        const reply = {
          conversationId: await visibleConversation(input.conversationId, context),
          text: input.text ?? '',
          idempotencyKey: input.idempotencyKey,
          expectedLastIncomingMessageId: input.expectedLastIncomingMessageId
            ? inputId('Message', input.expectedLastIncomingMessageId, 'expectedLastIncomingMessageId')
            : null,
        };
        return replyToConversation(context.db, actor, reply, context.rulesOf(module));
      }),
  }),
);

builder.mutationField('markConversationRead', (t) =>
  t.field({
    type: ConversationPayload,
    description:
      'Moves the read horizon up to the named message; it never moves back. Needs REPLY, or a token with WRITE_MESSAGES.',
    args: { input: t.arg({ type: MarkConversationReadInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload(async () => {
        requireRight(context.viewer, 'REPLY', 'WRITE_MESSAGES');
        const module = await context.readModule.current();
        requireModule(module, 'enabled');
        const conversationId = await visibleConversation(input.conversationId, context);
        const upToMessageId = inputId('Message', input.upToMessageId, 'upToMessageId');
        await markConversationRead(context.db, { conversationId, upToMessageId }, context.rulesOf(module));
        return { conversationId };
      }),
  }),
);

builder.mutationField('setNoReplyNeeded', (t) =>
  t.field({
    type: ConversationPayload,
    description:
      'Ticks or unticks "no reply needed" for the last customer message. Safe to repeat. Needs REPLY, or a token with WRITE_MESSAGES.',
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
