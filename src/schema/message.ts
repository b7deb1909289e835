import { hasScope } from '../auth.ts';
import type { Message as MessageRow } from '../generated/prisma/client.ts';
import { statusHistory } from '../services/status.ts';
import { Attachment } from './attachment.ts';
import { builder } from './builder.ts';
import { actionsOf } from './capabilities.ts';
import { connectionType } from './connection-type.ts';
import { MessageAction, MessageDirection, MessageKind, MessageOrigin, MessageStatus } from './enums.ts';
import { MessageContent, shownContent } from './message-content.ts';
import { MessageFailure, MessageReaction, MessageReferral, MessageStatusEntry } from './message-parts.ts';
import type { Loaders } from './loaders.ts';
import { findable } from './node.ts';
import { Operator } from './operator.ts';
import { visibleMessage } from './visibility.ts';

export const Message = builder.prismaNode('Message', {
  id: { field: 'id' },
  description: 'One message of a conversation.',
  authScopes: { scope: 'READ_CONVERSATIONS' },
  runScopesOnType: true,
  fields: (t) => ({
    sequence: t.exposeInt('sequence', { description: 'Order of arrival within the conversation.' }),
    direction: t.expose('direction', { type: MessageDirection }),
    origin: t.expose('origin', { type: MessageOrigin }),
    kind: t.expose('kind', { type: MessageKind }),
    content: t.field({
      type: MessageContent,
      nullable: true,
      description: 'Null without READ_MESSAGE_BODIES.',
      resolve: async (message, _args, { viewer, loaders }) =>
        hasScope(viewer, 'READ_MESSAGE_BODIES')
          ? shownContent(message, await loaders.attachmentsOf.load(message.id))
          : null,
    }),
    preview: t.string({
      nullable: true,
      description: 'One plain-text line for lists. Null without READ_MESSAGE_BODIES.',
      resolve: (message, _args, { viewer }) => (hasScope(viewer, 'READ_MESSAGE_BODIES') ? message.preview : null),
    }),
    sentByOperator: t.field({
      type: Operator,
      nullable: true,
      resolve: (message, _args, { loaders }) => (message.sentById ? loaders.operator.load(message.sentById) : null),
    }),
    sentAt: t.expose('sentAt', {
      type: 'DateTime',
      description:
        "Meta's time (whole seconds) for incoming messages; for outgoing ones when they were durably queued. Never changes.",
    }),
    receivedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When an incoming message reached us; null for what we sent.',
      resolve: (message) => (message.direction === 'INCOMING' ? message.receivedAt : null),
    }),
    status: t.expose('status', { type: MessageStatus, nullable: true, description: 'Null for incoming messages.' }),
    statusHistory: t.field({
      type: [MessageStatusEntry],
      description: 'Everything that Meta told, oldest first, also what changed nothing.',
      resolve: async (message, _args, { loaders }) => statusHistory(await loaders.statusesOf.load(message.id)),
    }),
    failure: t.field({
      type: MessageFailure,
      nullable: true,
      description: 'Why it was not sent, or that this is not known.',
      resolve: (message) => (message.failureTitle === null && !message.outcomeUnknown ? null : message),
    }),
    reactions: t.field({
      type: [MessageReaction],
      resolve: (message, _args, { loaders }) => loaders.reactionsOf.load(message.id),
    }),
    attachments: t.field({
      type: [Attachment],
      description: 'Empty without READ_MESSAGE_BODIES.',
      resolve: (message, _args, { viewer, loaders }) =>
        hasScope(viewer, 'READ_MESSAGE_BODIES') ? loaders.attachmentsOf.load(message.id) : [],
    }),
    editedAt: t.expose('editedAt', { type: 'DateTime', nullable: true }),
    deletedByCustomerAt: t.field({
      type: 'DateTime',
      nullable: true,
      resolve: (message) => (message.direction === 'INCOMING' ? message.withdrawnAt : null),
    }),
    discardedAt: t.expose('discardedAt', { type: 'DateTime', nullable: true }),
    forwarded: t.exposeBoolean('forwarded'),
    referral: t.field({
      type: MessageReferral,
      nullable: true,
      description: 'The advertisement or post that the customer came from. Null without READ_MESSAGE_BODIES.',
      resolve: (message, _args, { viewer }) => (hasScope(viewer, 'READ_MESSAGE_BODIES') ? message.referral : null),
    }),
    readByOperators: t.boolean({
      description: 'True once the read horizon of the conversation has passed it; always true for what we sent.',
      resolve: async (message, _args, { loaders }) => {
        if (message.direction === 'OUTGOING') return true;
        const conversation = await loaders.conversation.load(message.conversationId);
        return conversation !== null && message.sequence <= conversation.readUpToSequence;
      },
    }),
    clientKey: t.exposeString('clientKey', {
      nullable: true,
      description: 'The idempotency key with which it was sent.',
    }),
    availableActions: t.field({
      type: [MessageAction],
      description: 'What the viewer can do with it now; the mutations hold the same rules.',
      resolve: (message, _args, context) => actionsOf(message, context),
    }),
  }),
});

findable('Message', { scope: 'READ_CONVERSATIONS' }, visibleMessage);

builder.prismaObjectField(Message, 'quoted', (t) =>
  t.field({
    type: Message,
    nullable: true,
    description: 'The message that it answers; null where that was never stored here.',
    resolve: (message, _args, { loaders }) => quotedMessage(message, loaders),
  }),
);

/** A message may come before the one that it quotes, so that its id was not known when it was stored. */
async function quotedMessage(message: MessageRow, loaders: Loaders): Promise<MessageRow | null> {
  if (message.quotedId) return loaders.message.load(message.quotedId);
  if (!message.quotedProviderId) return null;
  const quoted = await loaders.messageByProviderId.load(message.quotedProviderId);
  return quoted?.conversationId === message.conversationId ? quoted : null;
}

export const MessageConnection = connectionType<MessageRow>('Message', Message, { asOf: true });
