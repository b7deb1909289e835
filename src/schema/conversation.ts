import type { Context } from '../context.ts';
import type { ListedConversation } from '../db/statements/conversation-page.ts';
import { badInput } from '../errors.ts';
import type { Conversation as ConversationRow, Message as MessageRow } from '../generated/prisma/client.ts';
import { builder } from './builder.ts';
import { BusinessNumber } from './business-number.ts';
import { pageArguments } from './connection-type.ts';
import { Beacon, ConversationCapabilities, MessagingWindow } from './conversation-parts.ts';
import { ConversationSource, MessageDirection, MessageStatus } from './enums.ts';
import { argumentId } from './global-id.ts';
import { Message, MessageConnection } from './message.ts';
import { messagePage } from './message-page.ts';
import { findable } from './node.ts';
import { Operator } from './operator.ts';
import { Participant } from './participant.ts';
import { selectsOnly } from './selection.ts';
import { maySee, visibleConversationRow } from './visibility.ts';
import { reads, readsOnward } from './wanted-rows.ts';

export const Conversation = builder.prismaNode('Conversation', {
  id: { field: 'id' },
  description: 'All that one customer and one of our numbers wrote to each other.',
  authScopes: { scope: 'READ_CONVERSATIONS' },
  runScopesOnType: true,
  fields: (t) => ({
    number: t.exposeInt('number', { description: 'Human number, unique and never reused.' }),
    source: t.expose('source', { type: ConversationSource }),
    businessNumber: t.field({
      type: BusinessNumber,
      description: 'The number that the customer wrote to; replies leave from it.',
      extensions: reads<ConversationRow>('businessNumberId'),
      // The module knows the numbers already; one that is not among them was added a moment ago.
      resolve: (row, _args, { loaders, readModule }) =>
        readModule.present().numbers.find(({ id }) => id === row.businessNumberId) ??
        loaders.businessNumber.load(row.businessNumberId).then(found),
    }),
    participant: t.field({
      type: Participant,
      extensions: reads<ConversationRow>('participantId'),
      resolve: (row, _args, { loaders }) =>
        listed(row).participant ?? loaders.participant.load(row.participantId).then(found),
    }),
    lastRepliedBy: t.field({
      type: Operator,
      nullable: true,
      description: 'Operator whose reply was accepted last; null until somebody replied.',
      extensions: reads<ConversationRow>('lastRepliedById'),
      resolve: (row, _args, { loaders }) =>
        row.lastRepliedById ? (listed(row).lastRepliedBy ?? loaders.operator.load(row.lastRepliedById)) : null,
    }),
    lastMessage: t.field({
      type: Message,
      nullable: true,
      description: 'Null while there is none: a conversation that began with a call.',
      extensions: reads<ConversationRow>('lastMessageId', 'lastMessagePreview'),
      resolve: (row, _args, { loaders }, info) => {
        if (!row.lastMessageId) return null;
        if (selectsOnly(WITH_CONVERSATION, info)) return previewOf(row.lastMessageId, row);
        return loaders.message.load(row.lastMessageId);
      },
    }),
    lastMessageStatus: t.expose('lastMessageStatus', {
      type: MessageStatus,
      nullable: true,
      description: 'Null while the last message is an incoming one.',
    }),
    lastMessageDirection: t.expose('lastMessageDirection', { type: MessageDirection, nullable: true }),
    lastMessageAt: t.expose('lastMessageAt', {
      type: 'DateTime',
      description: 'Time of the last message; reading does not change it.',
    }),
    lastIncomingMessage: t.field({
      type: Message,
      nullable: true,
      extensions: reads<ConversationRow>('lastIncomingMessageId'),
      resolve: (row, _args, { loaders }) =>
        row.lastIncomingMessageId ? loaders.message.load(row.lastIncomingMessageId) : null,
    }),
    lastOutgoingMessage: t.field({
      type: Message,
      nullable: true,
      extensions: reads<ConversationRow>('lastOutgoingMessageId'),
      resolve: (row, _args, { loaders }) =>
        row.lastOutgoingMessageId ? loaders.message.load(row.lastOutgoingMessageId) : null,
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: "Meta's time of the first message; an older one that comes late moves it back.",
    }),
    unreadCount: t.exposeInt('unreadCount', {
      description: 'Customer messages after the read horizon, which all operators share.',
    }),
    readUpTo: t.field({
      type: Message,
      nullable: true,
      description: 'The read horizon; null while nothing was read.',
      extensions: reads<ConversationRow>('readUpToId'),
      resolve: (row, _args, { loaders }) => (row.readUpToId ? loaders.message.load(row.readUpToId) : null),
    }),
    beacon: t.field({ type: Beacon, extensions: readsOnward, resolve: (row) => row }),
    window: t.field({ type: MessagingWindow, extensions: readsOnward, resolve: (row) => row }),
    messages: t.field({
      type: MessageConnection,
      description: 'By time (whole seconds), then arrival; read the newest with `last`.',
      args: {
        ...pageArguments(t.arg),
        search: t.arg.string({ description: 'Every word is in the text. Needs READ_MESSAGE_BODIES.' }),
        linkedToRequest: t.arg.id({ description: 'Only those filed under this request. Needs READ_REQUESTS.' }),
      },
      extensions: reads<ConversationRow>('id'),
      resolve: (row, args, context) => messagePage(row.id, args, context),
    }),
    viewerCan: t.field({ type: ConversationCapabilities, extensions: readsOnward, resolve: (row) => row }),
    version: t.exposeInt('version', { description: 'Grows with every change.' }),
  }),
});

findable('Conversation', { scope: 'READ_CONVERSATIONS' }, visibleConversationRow);

builder.prismaObjectField(Message, 'conversation', (t) =>
  t.field({
    type: Conversation,
    resolve: async (message, _args, { loaders }) => found(await loaders.conversation.load(message.conversationId)),
  }),
);

builder.queryField('conversation', (t) =>
  t.field({
    type: Conversation,
    nullable: true,
    description:
      'One conversation by id or by number; null where it does not exist or may not be seen. Opening it changes nothing.',
    authScopes: { scope: 'READ_CONVERSATIONS' },
    args: { id: t.arg.id(), number: t.arg.int() },
    resolve: (_root, { id, number }, context) => oneConversation(id, number, context),
  }),
);

async function oneConversation(
  id: string | null | undefined,
  number: number | null | undefined,
  context: Context,
): Promise<ConversationRow | null> {
  if ((id == null) === (number == null)) throw badInput('Give id or number.', 'id');
  const row =
    id != null
      ? await context.loaders.conversation.load(argumentId('Conversation', id, 'id'))
      : await byNumber(number ?? 0, context);
  return row && maySee(context.viewer, row) ? row : null;
}

async function byNumber(number: number, { db, loaders }: Context): Promise<ConversationRow | null> {
  const row = await db.prisma.conversation.findUnique({ where: { number } });
  return row?.mergedIntoId ? loaders.conversation.load(row.mergedIntoId) : row;
}

/** What the table shows of a last message stands on the conversation, too, written together with it. */
const WITH_CONVERSATION: ReadonlySet<string> = new Set(['__typename', 'id', 'preview']);

function previewOf(id: string, { lastMessagePreview }: ConversationRow): MessageRow {
  // Nothing else is asked of it.
  return { id, preview: lastMessagePreview } as MessageRow;
}

/** Rows of a page brought along what is shown of others. */
function listed(row: ConversationRow): ListedConversation {
  // All that it says more is optional.
  return row;
}

/** For what a foreign key promises. */
function found<T>(row: T | null): T {
  if (row === null) throw new Error('a row that a foreign key promises is missing');
  return row;
}
