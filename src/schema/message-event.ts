import { ChatEvent, conversationIdOf, eventType, fact, messageIdOf, messageOf } from './chat-event.ts';
import { MessageStatus } from './enums.ts';
import { Message } from './message.ts';
import { MessageFailure } from './message-parts.ts';

export const MessageAdded = eventType('MessageAdded').implement({
  description: 'A message was stored: received, queued, or imported.',
  interfaces: [ChatEvent],
  fields: (t) => ({
    conversationId: t.id({ resolve: (event) => conversationIdOf(event) }),
    message: t.field({
      type: Message,
      nullable: true,
      resolve: (event, _args, context) => messageOf(event, context),
    }),
  }),
});

export const MessageUpdated = eventType('MessageUpdated').implement({
  description: 'A message was edited, withdrawn, reacted to, or its placeholder was replaced.',
  interfaces: [ChatEvent],
  fields: (t) => ({
    conversationId: t.id({ resolve: (event) => conversationIdOf(event) }),
    messageId: t.id({ resolve: (event) => messageIdOf(event) }),
    message: t.field({
      type: Message,
      nullable: true,
      resolve: (event, _args, context) => messageOf(event, context),
    }),
  }),
});

export const MessageStatusChanged = eventType('MessageStatusChanged').implement({
  description: 'An outgoing message got another status. A status that changed nothing sends no event.',
  interfaces: [ChatEvent],
  fields: (t) => ({
    conversationId: t.id({ resolve: (event) => conversationIdOf(event) }),
    messageId: t.id({ resolve: (event) => messageIdOf(event) }),
    status: t.field({
      type: MessageStatus,
      resolve: (event) => fact<typeof MessageStatus.$inferType>(event, 'status'),
    }),
    previous: t.field({
      type: MessageStatus,
      resolve: (event) => fact<typeof MessageStatus.$inferType>(event, 'previous'),
    }),
    failure: t.field({
      type: MessageFailure,
      nullable: true,
      resolve: (event, _args, context) => (event.data.status === 'FAILED' ? messageOf(event, context) : null),
    }),
    message: t.field({
      type: Message,
      nullable: true,
      resolve: (event, _args, context) => messageOf(event, context),
    }),
  }),
});
