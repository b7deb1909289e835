import { ChatEvent, conversationIdOf, eventType, fact, messageIdOf, messageOf } from './chat-event.ts';
import { globalId } from './global-id.ts';
import { Message } from './message.ts';
import { Request } from './request.ts';

export const RequestChanged = eventType('RequestChanged').implement({
  description: 'A request was made, edited, tagged, discussed or got other attachments. Needs READ_REQUESTS.',
  interfaces: [ChatEvent],
  fields: (t) => ({
    requestId: t.id({ resolve: (event) => globalId('Request', event.requestId ?? '') }),
    conversationId: t.id({
      nullable: true,
      description: 'Null for a request that belongs to no conversation.',
      resolve: (event) => (event.conversationId ? conversationIdOf(event) : null),
    }),
    changedFields: t.stringList({ resolve: (event) => fact<string[]>(event, 'changedFields') }),
    request: t.field({
      type: Request,
      nullable: true,
      description: 'As it is when the event is delivered; null once the viewer may not see it any more.',
      resolve: (event, _args, { loaders }) => (event.requestId ? loaders.request.load(event.requestId) : null),
    }),
  }),
});

export const RequestLinkChanged = eventType('RequestLinkChanged').implement({
  description: 'A message was filed under a request, or taken from it. Needs READ_REQUESTS.',
  interfaces: [ChatEvent],
  fields: (t) => ({
    conversationId: t.id({ resolve: (event) => conversationIdOf(event) }),
    messageId: t.id({ resolve: (event) => messageIdOf(event) }),
    requestId: t.id({ resolve: (event) => globalId('Request', event.requestId ?? '') }),
    linked: t.boolean({ resolve: (event) => event.data.linked === true }),
    message: t.field({
      type: Message,
      nullable: true,
      resolve: (event, _args, context) => messageOf(event, context),
    }),
  }),
});
