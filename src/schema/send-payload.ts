import { hasScope } from '../auth.ts';
import type { UserError as UserErrorShape } from '../errors.ts';
import { builder } from './builder.ts';
import { Conversation } from './conversation.ts';
import { Message } from './message.ts';
import { UserError } from './user-error.ts';

export type SentShape = { conversationId?: string; messageId?: string; replayed?: boolean; errors: UserErrorShape[] };

export const SendMessagePayload = builder.objectRef<SentShape>('SendMessagePayload').implement({
  fields: (t) => ({
    message: t.field({
      type: Message,
      nullable: true,
      description: 'Null for a token without READ_CONVERSATIONS, for which it is queued all the same.',
      resolve: ({ messageId }, _args, { loaders, viewer }) =>
        messageId && hasScope(viewer, 'READ_CONVERSATIONS') ? loaders.message.load(messageId) : null,
    }),
    conversation: t.field({
      type: Conversation,
      nullable: true,
      description: 'Null for a token without READ_CONVERSATIONS.',
      resolve: ({ conversationId }, _args, { loaders, viewer }) =>
        conversationId && hasScope(viewer, 'READ_CONVERSATIONS') ? loaders.conversation.load(conversationId) : null,
    }),
    replayed: t.boolean({
      description: 'True where the same key and content were sent before: this is the first result.',
      resolve: ({ replayed }) => replayed ?? false,
    }),
    errors: t.field({ type: [UserError], resolve: ({ errors }) => errors }),
  }),
});
