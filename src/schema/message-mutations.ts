import { Failure, ForbiddenError } from '../errors.ts';
import { hasPermission, type Viewer } from '../auth.ts';
import type { Message } from '../generated/prisma/client.ts';
import { requireModule } from '../services/module.ts';
import { setReaction } from '../services/reactions.ts';
import { discardMessage, retryMessage } from '../services/retries.ts';
import { builder } from './builder.ts';
import { requireRight } from './rights.ts';
import { MessagePayload } from './message-payload.ts';
import { SendMessagePayload } from './send-payload.ts';
import { payload } from './user-error.ts';
import { messageToChange } from './message-to-change.ts';

const RetryMessageInput = builder.inputType('RetryMessageInput', {
  fields: (t) => ({
    messageId: t.id({ required: true }),
    idempotencyKey: t.string({ required: true }),
    acceptDuplicateRisk: t.boolean({
      required: true,
      defaultValue: false,
      description: 'Needed where the outcome of the first try is unknown: the customer may get the message twice.',
    }),
  }),
});

const MessageRefInput = builder.inputType('MessageRefInput', {
  fields: (t) => ({ messageId: t.id({ required: true }) }),
});

const SetReactionInput = builder.inputType('SetReactionInput', {
  fields: (t) => ({
    messageId: t.id({ required: true }),
    emoji: t.string({ required: false, description: 'Exactly one emoji; null removes the reaction.' }),
  }),
});

builder.mutationField('retryMessage', (t) =>
  t.field({
    type: SendMessagePayload,
    description:
      'Sends a message anew that failed, or whose outcome is unknown. It keeps its id and its place. Needs REPLY (for a template also SEND_TEMPLATES), or a token with WRITE_MESSAGES and READ_CONVERSATIONS.',
    args: { input: t.arg({ type: RetryMessageInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload(async () => {
        const actor = requireRight(context.viewer, 'REPLY', 'WRITE_MESSAGES');
        const module = await context.readModule.current();
        requireModule(module, 'ready');
        const message = await messageToChange(input.messageId, context);
        requireTemplateRight(context.viewer, message);
        const { idempotencyKey, acceptDuplicateRisk } = input;
        const retry = { messageId: message.id, idempotencyKey, acceptDuplicateRisk };
        return retryMessage(context.db, actor, retry, context.rulesOf(module));
      }),
  }),
);

builder.mutationField('discardMessage', (t) =>
  t.field({
    type: SendMessagePayload,
    description:
      'Gives a message up that WhatsApp has not accepted: queued, failed, or with an unknown outcome. Safe to repeat. Needs REPLY, or a token with WRITE_MESSAGES and READ_CONVERSATIONS.',
    args: { input: t.arg({ type: MessageRefInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload(async () => {
        requireRight(context.viewer, 'REPLY', 'WRITE_MESSAGES');
        const module = await context.readModule.current();
        requireModule(module, 'enabled');
        const { id } = await messageToChange(input.messageId, context);
        return discardMessage(context.db, id, context.rulesOf(module));
      }),
  }),
);

builder.mutationField('setReaction', (t) =>
  t.field({
    type: MessagePayload,
    description:
      'Sets our one reaction to a message, or removes it; the customer sees it in a moment. Safe to repeat. Needs REPLY, or a token with WRITE_MESSAGES and READ_CONVERSATIONS.',
    args: { input: t.arg({ type: SetReactionInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload(async () => {
        const actor = requireRight(context.viewer, 'REPLY', 'WRITE_MESSAGES');
        const module = await context.readModule.current();
        requireModule(module, 'ready');
        const { id } = await messageToChange(input.messageId, context);
        const reaction = { messageId: id, emoji: input.emoji ?? null };
        await setReaction(context.db, actor, reaction, context.rulesOf(module));
        return { messageId: id };
      }),
  }),
);

function requireTemplateRight(viewer: Viewer | null, { kind }: Message): void {
  if (kind !== 'TEMPLATE' || viewer?.kind === 'token' || hasPermission(viewer, 'SEND_TEMPLATES')) return;
  throw new Failure(new ForbiddenError('You may not send templates.', 'SEND_TEMPLATES'));
}
