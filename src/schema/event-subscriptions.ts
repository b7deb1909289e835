import type { ArgBuilder } from '@pothos/core';
import type { Viewer } from '../auth.ts';
import { hasScope } from '../auth.ts';
import type { Context } from '../context.ts';
import { eventTypes, type EventType, type LoggedEvent } from '../db/event-log.ts';
import { forbidden } from '../errors.ts';
import type { LogSource } from '../events/stream-source.ts';
import { builder, type Types } from './builder.ts';
import {
  BeaconChanged,
  ChatEvent,
  ChatEventType,
  MessageAdded,
  MessageStatusChanged,
  OperatorPresenceChanged,
} from './chat-event.ts';
import { argumentId } from './global-id.ts';
import { streamed } from './streamed.ts';

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

type ConversationArgument = { conversationId?: string | null };

/** One kind of event, all conversations or one. */
function streamOf(type: EventType): LogSource<LoggedEvent> {
  return {
    kind: 'log',
    open(args, context) {
      requireReader(context);
      const { conversationId: global } = args as ConversationArgument;
      const conversationId = global == null ? null : argumentId('Conversation', global, 'conversationId');
      return {
        wants: (event, viewer) =>
          event.type === type &&
          (conversationId === null || event.conversationId === conversationId) &&
          mayHear(viewer, event),
      };
    },
  };
}

const everything: LogSource<LoggedEvent> = {
  kind: 'log',
  open(args, context) {
    requireReader(context);
    const types = (args as { types?: EventType[] | null }).types;
    const wanted = types ? new Set(types) : null;
    return {
      hasProgress: true,
      wants: (event, viewer) => (wanted === null || wanted.has(event.type)) && mayHear(viewer, event),
    };
  },
};

function requireReader({ viewer }: Context): void {
  if (!hasScope(viewer, 'READ_EVENTS')) throw forbidden('You may not follow the event stream.');
}

/** The log also holds what nobody is told: events that were blanked when a person was erased. */
const toldTypes = new Set<string>(eventTypes);

/** Present rights, asked again for every event. */
export function mayHear(viewer: Viewer, event: LoggedEvent): boolean {
  if (!toldTypes.has(event.type)) return false;
  if (!hasScope(viewer, 'READ_EVENTS')) return false;
  if (event.businessNumberId === null) return true;
  return (
    viewer.kind !== 'token' || viewer.businessNumberIds === null || viewer.businessNumberIds.has(event.businessNumberId)
  );
}
