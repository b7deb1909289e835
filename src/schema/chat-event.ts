import type { ImplementableObjectRef } from '@pothos/core';
import { hasScope } from '../auth.ts';
import type { Context } from '../context.ts';
import type { LoggedEvent } from '../db/event-log.ts';
import { encodeStreamCursor, eventIdOf } from '../events/cursor.ts';
import type { Progress } from '../events/framing.ts';
import { builder, type Types } from './builder.ts';
import { globalId } from './global-id.ts';
import { isColleague } from './rights.ts';

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
      // Progress is no repeat of the event up to which it tells it.
      resolve: (event) => (event.type === 'STREAM_PROGRESS' ? `${eventIdOf(event)}-progress` : eventIdOf(event)),
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

/** The operator whom the event names; null for whoever may not know colleagues. */
export async function colleagueOf({ operatorId }: LoggedEvent, { viewer, loaders }: Context) {
  return operatorId && isColleague(viewer) ? loaders.operator.load(operatorId) : null;
}

/** A small fact as the service that appended the event wrote it. */
export function fact<T>(event: LoggedEvent, name: string): T {
  return event.data[name] as T;
}

export function instant(event: LoggedEvent, name: string): Date | null {
  const at = event.data[name];
  return typeof at === 'string' ? new Date(at) : null;
}
