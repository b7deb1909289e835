import type { Context } from '../context.ts';
import type { KeysetPosition } from '../db/keyset.ts';
import type { WantedRows } from '../db/models.ts';
import {
  countConversations,
  findConversationPage,
  positionOf,
  type ConversationOrder,
} from '../db/statements/conversation-page.ts';
import type { Conversation as ConversationRow } from '../generated/prisma/client.ts';
import { listCondition } from '../services/list/list-query.ts';
import { builder } from './builder.ts';
import { connectionType, pageArguments } from './connection-type.ts';
import { encodeCursor, isInstant, isInteger, isRowId, pageRequest, toPage, type PageArguments } from './connection.ts';
import { Conversation } from './conversation.ts';
import { ConversationFilterInput, ConversationOrderInput, ConversationSearchInput } from './conversation-filter.ts';
import { listFacts, listViewer, requestedList, type ListArguments } from './list-request.ts';
import { streamCursor } from './stream.ts';
import { wantedRows } from './wanted-rows.ts';

const ConversationConnection = connectionType<ConversationRow>('Conversation', Conversation, { asOf: true });

const newestFirst: ConversationOrder = { field: 'LAST_MESSAGE_AT', direction: 'DESC' };

builder.queryField('conversations', (t) =>
  t.field({
    type: ConversationConnection,
    nullable: true,
    description:
      'The conversation table, newest message first. Cut to what the viewer may see. Follow it with conversationListChanged from asOf.',
    authScopes: { scope: 'READ_CONVERSATIONS' },
    args: {
      ...pageArguments(t.arg),
      filter: t.arg({ type: ConversationFilterInput }),
      savedFilterId: t.arg.id({ description: 'Both hold where filter is given, too; it also brings its order.' }),
      search: t.arg({ type: ConversationSearchInput }),
      orderBy: t.arg({ type: ConversationOrderInput }),
      timeZone: t.arg({ type: 'TimeZone', description: "Of relative days; else the organisation's." }),
    },
    resolve: (_root, args, context, info) => conversationPage(args, context, wantedRows(info)),
  }),
);

type Arguments = PageArguments & ListArguments & { orderBy?: ConversationOrder | null };

async function conversationPage(args: Arguments, context: Context, wanted: WantedRows) {
  const { query, order: savedOrder } = await requestedList(args, context);
  const order = args.orderBy ?? savedOrder ?? newestFirst;
  const cursorOrder = `conversations:${order.field}:${order.direction}`;
  const request = pageRequest(args, cursorOrder, (position) => isPositionOf(order, position));
  const facts = await listFacts([query], args.timeZone, context);
  const condition = listCondition(query, listViewer(context.viewer), facts);
  const asOf = await streamCursor(context);
  const rows = await findConversationPage(context.db.pool, request, order, condition, wanted);
  const page = toPage(rows, request, (row) => encodeCursor(cursorOrder, positionOf(row, order)));
  return { ...page, asOf, totalCount: () => countConversations(context.db.pool, condition) };
}

function isPositionOf({ field }: ConversationOrder, [value, id, ...rest]: KeysetPosition): boolean {
  if (!isRowId(id) || rest.length > 0) return false;
  if (field === 'NUMBER') return isInteger(value);
  return isInstant(value) || (value === null && (field === 'AWAITING_SINCE' || field === 'WINDOW_EXPIRES_AT'));
}
