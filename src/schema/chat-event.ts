import type { ImplementableObjectRef } from '@pothos/core';
import { hasScope } from '../auth.ts';
import type { Context } from '../context.ts';
import type { LoggedEvent } from '../db/event-log.ts';
import { encodeStreamCursor, eventIdOf } from '../events/cursor.ts';
import type { Progress } from '../events/group.ts';
import { builder, type Types } from './builder.ts';
import { Conversation } from './conversation.ts';
import { BeaconReason, LoginState, MessageStatus, WindowState } from './enums.ts';
import { globalId } from './global-id.ts';
import { Message } from './message.ts';
import { MessageFailure } from './message-parts.ts';
import { Operator } from './operator.ts';
import { isColleague } from './rights.ts';
import { Template } from './template.ts';
import { TemplateStatus } from './template-parts.ts';

export const ChatEventType = builder.enumType('ChatEventType', {
  description: 'Kinds of events.',
  values: [
    'CONVERSATION_CHANGED',
    'MESSAGE_ADDED',
    'MESSAGE_UPDATED',
    'MESSAGE_STATUS_CHANGED',
    'BEACON_CHANGED',
    'UNREAD_CHANGED',
    'WINDOW_CHANGED',
    'REQUEST_CHANGED',
    'REQUEST_LINK_CHANGED',
    'TEMPLATE_CHANGED',
    'OPERATOR_PRESENCE_CHANGED',
  ] as const,
});

const typeNames: Record<string, string> = {
  CONVERSATION_CHANGED: 'ConversationChanged',
  MESSAGE_ADDED: 'MessageAdded',
  MESSAGE_UPDATED: 'MessageUpdated',
  MESSAGE_STATUS_CHANGED: 'MessageStatusChanged',
  BEACON_CHANGED: 'BeaconChanged',
  UNREAD_CHANGED: 'UnreadChanged',
  WINDOW_CHANGED: 'WindowChanged',
  REQUEST_CHANGED: 'RequestChanged',
  REQUEST_LINK_CHANGED: 'RequestLinkChanged',
  TEMPLATE_CHANGED: 'TemplateChanged',
  OPERATOR_PRESENCE_CHANGED: 'OperatorPresenceChanged',
  STREAM_PROGRESS: 'StreamProgress',
};

export const ChatEvent = builder.interfaceRef<LoggedEvent | Progress>('ChatEvent').implement({
  description:
    'Something that happened. Payload objects are read when the event is delivered, the small fields are those of the event.',
  resolveType: (event) => typeNames[event.type],
  fields: (t) => ({
    eventId: t.id({
      description: 'The same on redelivery: drop what you have seen.',
      resolve: (event) => eventIdOf(event),
    }),
    cursor: t.field({
      type: 'EventCursor',
      description: 'Where to resume: give it as `after`.',
      resolve: (event) => encodeStreamCursor(event),
    }),
    occurredAt: t.field({
      type: 'DateTime',
      description: "When it happened; Meta's time where Meta told it.",
      resolve: (event) => new Date(event.occurredAt),
    }),
    recordedAt: t.field({
      type: 'DateTime',
      description: 'When it was written into the stream.',
      resolve: (event) => new Date(event.recordedAt),
    }),
  }),
});

export const eventType = (name: string): ImplementableObjectRef<Types, LoggedEvent> =>
  builder.objectRef<LoggedEvent>(name);

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

export const BeaconChanged = eventType('BeaconChanged').implement({
  description: 'The beacon of a conversation went on or off. Staying on or off sends no event.',
  interfaces: [ChatEvent],
  fields: (t) => ({
    conversationId: t.id({ resolve: (event) => conversationIdOf(event) }),
    on: t.boolean({ resolve: (event) => event.data.on === true }),
    reason: t.field({ type: BeaconReason, resolve: (event) => fact<typeof BeaconReason.$inferType>(event, 'reason') }),
    since: t.field({ type: 'DateTime', nullable: true, resolve: (event) => instant(event, 'since') }),
    byOperator: t.field({
      type: Operator,
      nullable: true,
      resolve: (event, _args, { loaders }) => (event.operatorId ? loaders.operator.load(event.operatorId) : null),
    }),
    conversation: t.field({
      type: Conversation,
      nullable: true,
      resolve: (event, _args, context) => conversationOf(event, context),
    }),
  }),
});

eventType('UnreadChanged').implement({
  description: 'The number of unread customer messages of a conversation changed.',
  interfaces: [ChatEvent],
  fields: (t) => ({
    conversationId: t.id({ resolve: (event) => conversationIdOf(event) }),
    unreadCount: t.int({ resolve: (event) => Number(event.data.unreadCount ?? 0) }),
    conversation: t.field({
      type: Conversation,
      nullable: true,
      resolve: (event, _args, context) => conversationOf(event, context),
    }),
  }),
});

eventType('WindowChanged').implement({
  description: "Meta's 24-hour window of a conversation opened, is about to close, or closed.",
  interfaces: [ChatEvent],
  fields: (t) => ({
    conversationId: t.id({ resolve: (event) => conversationIdOf(event) }),
    state: t.field({ type: WindowState, resolve: (event) => fact<typeof WindowState.$inferType>(event, 'state') }),
    expiresAt: t.field({ type: 'DateTime', nullable: true, resolve: (event) => instant(event, 'expiresAt') }),
    conversation: t.field({
      type: Conversation,
      nullable: true,
      resolve: (event, _args, context) => conversationOf(event, context),
    }),
  }),
});

eventType('ConversationChanged').implement({
  description: 'Renamed, number or user id changed, or merged into another.',
  interfaces: [ChatEvent],
  fields: (t) => ({
    conversationId: t.id({ resolve: (event) => conversationIdOf(event) }),
    changedFields: t.stringList({ resolve: (event) => fact<string[]>(event, 'changedFields') }),
    mergedIntoId: t.id({
      nullable: true,
      resolve: (event) =>
        typeof event.data.mergedIntoId === 'string' ? globalId('Conversation', event.data.mergedIntoId) : null,
    }),
    conversation: t.field({
      type: Conversation,
      nullable: true,
      resolve: (event, _args, context) => conversationOf(event, context),
    }),
  }),
});

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

export const TemplateChanged = eventType('TemplateChanged').implement({
  description: 'A template came, went, or got another state, category or text.',
  interfaces: [ChatEvent],
  fields: (t) => ({
    templateId: t.id({ resolve: (event) => globalId('Template', event.templateId ?? '') }),
    status: t.field({
      type: TemplateStatus,
      resolve: (event) => fact<typeof TemplateStatus.$inferType>(event, 'status'),
    }),
    template: t.field({
      type: Template,
      nullable: true,
      resolve: (event, _args, { loaders }) => (event.templateId ? loaders.template.load(event.templateId) : null),
    }),
  }),
});

export const OperatorPresenceChanged = eventType('OperatorPresenceChanged').implement({
  description: 'An operator came, went idle or signed out. A heartbeat that changes nothing sends no event.',
  interfaces: [ChatEvent],
  fields: (t) => ({
    operatorId: t.id({ resolve: (event) => globalId('Operator', event.operatorId ?? '') }),
    loginState: t.field({
      type: LoginState,
      resolve: (event) => fact<typeof LoginState.$inferType>(event, 'loginState'),
    }),
    operator: t.field({
      type: Operator,
      nullable: true,
      description: 'Null for a token that does not read conversations.',
      resolve: (event, _args, { viewer, loaders }) =>
        event.operatorId && isColleague(viewer) ? loaders.operator.load(event.operatorId) : null,
    }),
  }),
});

builder.objectRef<Progress>('StreamProgress').implement({
  description:
    'Nothing else matched up to this cursor: store it, show nothing. Sent at once on subscribing, then at intervals.',
  interfaces: [ChatEvent],
  fields: () => ({}),
});

export function conversationIdOf(event: LoggedEvent): string {
  return globalId('Conversation', event.conversationId ?? '');
}

export function messageIdOf(event: LoggedEvent): string {
  return globalId('Message', event.messageId ?? '');
}

/** Null for a token that follows events and may not read conversations: it gets ids and small facts only. */
export async function conversationOf({ conversationId }: LoggedEvent, { viewer, loaders }: Context) {
  return conversationId && hasScope(viewer, 'READ_CONVERSATIONS') ? loaders.conversation.load(conversationId) : null;
}

export async function messageOf({ messageId }: LoggedEvent, { viewer, loaders }: Context) {
  return messageId && hasScope(viewer, 'READ_CONVERSATIONS') ? loaders.message.load(messageId) : null;
}

/** A small fact as the service that appended the event wrote it. */
export function fact<T>(event: LoggedEvent, name: string): T {
  return event.data[name] as T;
}

function instant(event: LoggedEvent, name: string): Date | null {
  const at = event.data[name];
  return typeof at === 'string' ? new Date(at) : null;
}
