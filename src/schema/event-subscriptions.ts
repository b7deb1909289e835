import type { ArgBuilder } from '@pothos/core';
import type { Viewer } from '../auth.ts';
import { hasScope } from '../auth.ts';
import type { Context } from '../context.ts';
import { eventTypes, type EventType, type LoggedEvent } from '../db/event-log.ts';
import { badInput, forbidden } from '../errors.ts';
import type { LogSource } from '../events/stream-source.ts';
import { builder, type Types } from './builder.ts';
import { ChatEvent, ChatEventType } from './chat-event.ts';
import { BeaconChanged } from './conversation-event.ts';
import { argumentId } from './global-id.ts';
import { MessageAdded, MessageStatusChanged } from './message-event.ts';
import { OperatorPresenceChanged } from './operator-event.ts';
import { RequestChanged } from './request-event.ts';
import { forbiddenWithout } from './rights.ts';
import { streamed } from './streamed.ts';
import { TemplateChanged } from './template-event.ts';

type Arg = ArgBuilder<Types>;

const after = (arg: Arg) =>
  arg({ type: 'EventCursor', description: 'Resume after this cursor; without it only what comes from now on.' });

const ofConversation = (arg: Arg) => ({
  conversationId: arg.id({ description: 'Only this conversation.' }),
  after: after(arg),
});

builder.subscriptionField('messageAdded', (t) =>
  t.field({
    type: MessageAdded,
    description: 'Messages received, queued or imported.',
    args: ofConversation(t.arg),
    ...streamed(streamOf('MESSAGE_ADDED')),
    resolve: (event) => event,
  }),
);

builder.subscriptionField('messageStatusChanged', (t) =>
  t.field({
    type: MessageStatusChanged,
    description: 'Statuses of outgoing messages.',
    args: ofConversation(t.arg),
    ...streamed(streamOf('MESSAGE_STATUS_CHANGED')),
    resolve: (event) => event,
  }),
);

builder.subscriptionField('beaconChanged', (t) =>
  t.field({
    type: BeaconChanged,
    description: 'Beacons that went on or off.',
    args: ofConversation(t.arg),
    ...streamed(streamOf('BEACON_CHANGED')),
    resolve: (event) => event,
  }),
);

builder.subscriptionField('operatorPresenceChanged', (t) =>
  t.field({
    type: OperatorPresenceChanged,
    description: 'Operators who come, go idle or sign out.',
    args: { after: after(t.arg) },
    ...streamed(streamOf('OPERATOR_PRESENCE_CHANGED')),
    resolve: (event) => event,
  }),
);

builder.subscriptionField('events', (t) =>
  t.field({
    type: ChatEvent,
    description: 'Everything that the viewer may see, in stream order, for dashboards.',
    args: {
      types: t.arg({ type: [ChatEventType], description: 'Only these kinds.' }),
      after: after(t.arg),
    },
    ...streamed(everything),
    resolve: (event) => event,
  }),
);

builder.subscriptionField('conversationEvents', (t) =>
  t.field({
    type: ChatEvent,
    description:
      'Everything that happens in one conversation, its requests included. Ends with FORBIDDEN when it may not be seen any more.',
    args: { conversationId: t.arg.id({ required: true }), after: after(t.arg) },
    ...streamed(ofOneConversation),
    resolve: (event) => event,
  }),
);

builder.subscriptionField('requestChanged', (t) =>
  t.field({
    type: RequestChanged,
    description: 'Requests that were made or changed. Needs READ_REQUESTS.',
    args: {
      conversationId: t.arg.id({ description: 'Only requests of this conversation.' }),
      requestId: t.arg.id({ description: 'Only this request.' }),
      after: after(t.arg),
    },
    ...streamed(changedRequests),
    resolve: (event) => event,
  }),
);

builder.subscriptionField('templateChanged', (t) =>
  t.field({
    type: TemplateChanged,
    description: 'WhatsApp templates that came, went or changed.',
    args: { after: after(t.arg) },
    ...streamed(streamOf('TEMPLATE_CHANGED')),
    resolve: (event) => event,
  }),
);

type Ids = { conversationId?: string | null; requestId?: string | null };

/** One kind of event, all conversations or one. */
function streamOf(type: EventType): LogSource<LoggedEvent> {
  return {
    kind: 'log',
    async open(args: Ids, context) {
      requireReader(context);
      const isOfConversation = await eventsOf(args.conversationId, context);
      return {
        wants: (event, viewer) => isOfConversation(event) && event.type === type && mayHear(viewer, event),
      };
    },
  };
}

const everything: LogSource<LoggedEvent> = {
  kind: 'log',
  open(args: { types?: EventType[] | null }, context) {
    requireReader(context);
    const wanted = wantedTypes(args.types);
    return {
      hasProgress: true,
      wants: (event, viewer) => wanted(event) && mayHear(viewer, event),
    };
  },
};

const ofOneConversation: LogSource<LoggedEvent> = {
  kind: 'log',
  async open(args: Ids, context) {
    requireReader(context);
    const conversationId = optionalId('Conversation', args.conversationId, 'conversationId');
    const conversation = conversationId && (await context.loaders.conversation.load(conversationId));
    if (!conversation || !maySeeNumber(context.viewer, conversation.businessNumberId))
      throw forbidden('There is no such conversation, or you may not follow it.');
    const isOfConversation = await eventsOf(args.conversationId, context);
    return {
      hasProgress: true,
      wants: (event, viewer) => isOfConversation(event) && mayHear(viewer, event),
    };
  },
};

const changedRequests: LogSource<LoggedEvent> = {
  kind: 'log',
  async open(args: Ids, context) {
    requireReader(context);
    if (!hasScope(context.viewer, 'READ_REQUESTS'))
      throw forbiddenWithout('READ_REQUESTS', context.viewer, 'You may not read requests.');
    const isOfConversation = await eventsOf(args.conversationId, context);
    const requestId = optionalId('Request', args.requestId, 'requestId');
    return {
      wants: (event, viewer) =>
        isOfConversation(event) &&
        event.type === 'REQUEST_CHANGED' &&
        (requestId === null || event.requestId === requestId) &&
        mayHear(viewer, event),
    };
  },
};

/** To be asked of every event: a conversation lives on in the one that it was merged into. */
async function eventsOf(
  global: string | null | undefined,
  { loaders }: Context,
): Promise<(event: LoggedEvent) => boolean> {
  const asked = optionalId('Conversation', global, 'conversationId');
  if (asked === null) return () => true;
  const ids = new Set([asked]);
  const present = await loaders.conversation.load(asked);
  if (present) ids.add(present.id);
  return ({ conversationId, data }) => {
    const isOfIt = conversationId !== null && ids.has(conversationId);
    if (isOfIt && typeof data.mergedIntoId === 'string') ids.add(data.mergedIntoId);
    return isOfIt;
  };
}

function optionalId(type: string, global: string | null | undefined, argument: string): string | null {
  return global == null ? null : argumentId(type, global, argument);
}

/** Null means every kind; an empty list would be silent for ever. */
export function wantedTypes(types: readonly EventType[] | null | undefined): (event: LoggedEvent) => boolean {
  if (!types) return () => true;
  if (types.length === 0) throw badInput('Name at least one kind of event, or leave types out.', 'types');
  const wanted = new Set<string>(types);
  return ({ type }) => wanted.has(type);
}

function requireReader({ viewer }: Context): void {
  if (!hasScope(viewer, 'READ_EVENTS'))
    throw forbiddenWithout('READ_EVENTS', viewer, 'You may not follow the event stream.');
}

/** The log also holds what nobody is told: events that were blanked when a person was erased. */
const toldTypes = new Set<string>(eventTypes);

/** Present rights, asked again for every event. */
export function mayHear(viewer: Viewer, event: LoggedEvent): boolean {
  if (!toldTypes.has(event.type) || !hasScope(viewer, 'READ_EVENTS')) return false;
  return mayHearNumber(viewer, event) && mayHearRequest(viewer, event);
}

/** What belongs to the organisation and never to a business number. */
const numberlessTypes = new Set<string>(['TEMPLATE_CHANGED', 'OPERATOR_PRESENCE_CHANGED']);

/** A request that belongs to no conversation is none of the numbers that a token may be limited to. */
function mayHearNumber(viewer: Viewer, { type, businessNumberId }: LoggedEvent): boolean {
  return numberlessTypes.has(type) || maySeeNumber(viewer, businessNumberId);
}

function maySeeNumber(viewer: Viewer | null, businessNumberId: string | null): boolean {
  if (viewer?.kind !== 'token' || viewer.businessNumberIds === null) return true;
  return businessNumberId !== null && viewer.businessNumberIds.has(businessNumberId);
}

/** A token that may not read requests, or not the internal ones, does not hear of them either. */
function mayHearRequest(viewer: Viewer, { type, data }: LoggedEvent): boolean {
  if (type !== 'REQUEST_CHANGED' && type !== 'REQUEST_LINK_CHANGED') return true;
  if (!hasScope(viewer, 'READ_REQUESTS')) return false;
  return data.internal !== true || hasScope(viewer, 'READ_INTERNAL_NOTES');
}
