import type { UserError as UserErrorShape } from '../errors.ts';
import { builder } from './builder.ts';
import { Message } from './message.ts';
import { UserError } from './user-error.ts';

export const MessagePayload = builder
  .objectRef<{ messageId?: string; errors: UserErrorShape[] }>('MessagePayload')
  .implement({
    fields: (t) => ({
      message: t.field({
        type: Message,
        nullable: true,
        resolve: ({ messageId }, _args, { loaders }) => (messageId ? loaders.message.load(messageId) : null),
      }),
      errors: t.field({ type: [UserError], resolve: ({ errors }) => errors }),
    }),
  });
