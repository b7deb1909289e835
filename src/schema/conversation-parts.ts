import type { Conversation } from '../generated/prisma/client.ts';
import { windowState } from '../services/window.ts';
import { builder } from './builder.ts';
import { capabilitiesOf } from './capabilities.ts';
import { BeaconReason, WindowOpener, WindowState } from './enums.ts';
import { Message } from './message.ts';
import { Operator } from './operator.ts';
import { reads } from './wanted-rows.ts';

export const Beacon = builder.objectRef<Conversation>('Beacon').implement({
  description: 'The mark on a conversation in which the customer still waits for a reply.',
  fields: (t) => ({
    on: t.exposeBoolean('beaconOn'),
    since: t.expose('beaconSince', {
      type: 'DateTime',
      nullable: true,
      description: "Meta's time of the first customer message still without an answer; null while off.",
    }),
    trigger: t.field({
      type: Message,
      nullable: true,
      extensions: reads<Conversation>('beaconTriggerId'),
      resolve: (row, _args, { loaders }) => (row.beaconTriggerId ? loaders.message.load(row.beaconTriggerId) : null),
    }),
    noReplyNeeded: t.exposeBoolean('noReplyNeeded', {
      description: 'The last customer message was ticked as needing no reply.',
    }),
    noReplyNeededBy: t.field({
      type: Operator,
      nullable: true,
      extensions: reads<Conversation>('noReplyNeededById'),
      resolve: (row, _args, { loaders }) =>
        row.noReplyNeededById ? loaders.operator.load(row.noReplyNeededById) : null,
    }),
    noReplyNeededAt: t.expose('noReplyNeededAt', { type: 'DateTime', nullable: true }),
    reason: t.expose('beaconReason', {
      type: BeaconReason,
      nullable: true,
      description: 'Null while it never changed.',
    }),
    changedAt: t.expose('beaconChangedAt', { type: 'DateTime' }),
  }),
});

export const MessagingWindow = builder.objectRef<Conversation>('MessagingWindow').implement({
  description: "Meta's 24-hour window: free-form text only while it is open.",
  fields: (t) => ({
    state: t.field({
      type: WindowState,
      extensions: reads<Conversation>('windowExpiresAt'),
      resolve: async (row, _args, { readModule }) =>
        windowState(row.windowExpiresAt, new Date(), (await readModule.current()).settings.windowWarningMinutes),
    }),
    openedAt: t.expose('windowOpenedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was opened or refreshed last.',
    }),
    openedBy: t.expose('windowOpenedBy', { type: WindowOpener, nullable: true }),
    expiresAt: t.expose('windowExpiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'First instant at which free-form text is refused; null where it never opened.',
    }),
    serverTime: t.field({
      type: 'DateTime',
      description: 'For a countdown that does not trust its own clock.',
      extensions: reads(),
      resolve: () => new Date(),
    }),
  }),
});

export const ConversationCapabilities = builder.objectRef<Conversation>('ConversationCapabilities').implement({
  description: 'What the viewer can do in this conversation now.',
  fields: (t) => ({
    reply: t.boolean({
      description: 'Answer at all; the window decides whether in free form.',
      resolve: async (row, _args, context) => (await capabilitiesOf(row, context)).reply,
    }),
    replyFreeForm: t.boolean({
      resolve: async (row, _args, context) => (await capabilitiesOf(row, context)).replyFreeForm,
    }),
    sendTemplate: t.boolean({
      resolve: async (row, _args, context) => (await capabilitiesOf(row, context)).sendTemplate,
    }),
    createRequest: t.boolean({
      resolve: async (row, _args, context) => (await capabilitiesOf(row, context)).createRequest,
    }),
  }),
});
