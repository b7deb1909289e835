import { ChatEvent, colleagueOf, conversationIdOf, conversationOf, eventType, fact, instant } from './chat-event.ts';
import { Conversation } from './conversation.ts';
import { BeaconReason, WindowState } from './enums.ts';
import { globalId } from './global-id.ts';
import { Operator } from './operator.ts';

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
      resolve: (event, _args, context) => colleagueOf(event, context),
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
