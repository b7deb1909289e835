import * as enums from '../generated/prisma/enums.ts';
import type { ConversationFilter } from '../services/list/filter.ts';
import { MAX_SEARCH_LENGTH } from '../services/list/search.ts';
import { builder } from './builder.ts';
import { DateTimeFilterInput } from './date-time-filter.ts';
import { ConversationSource, MessageDirection, MessageStatus, WindowState } from './enums.ts';
import { StringFilterInput } from './string-filter.ts';

export const ConversationSearchColumn = builder.enumType(enums.ConversationSearchColumn, {
  name: 'ConversationSearchColumn',
  description: 'MESSAGES looks into the text of every message, the others into what the table shows.',
});

export const ConversationSortField = builder.enumType(enums.ConversationSortField, {
  name: 'ConversationSortField',
  description:
    'AWAITING_SINCE: since when the customer waits. What does not wait, or never had a window, ends ascending order.',
});

export const SortDirection = builder.enumType(enums.SortDirection, { name: 'SortDirection' });

const IntFilterInput = builder.inputType('IntFilterInput', {
  fields: (t) => ({
    eq: t.int(),
    gte: t.int(),
    lte: t.int(),
    in: t.intList({ description: 'At most 200 values.' }),
  }),
});

export const ConversationFilterInput = builder.inputRef<ConversationFilter>('ConversationFilterInput').implement({
  description: 'The conditions of one object hold together. At most 5 levels and 50 conditions.',
  fields: (t) => ({
    and: t.field({ type: [ConversationFilterInput] }),
    or: t.field({ type: [ConversationFilterInput], description: 'At least one holds; an empty list never does.' }),
    not: t.field({ type: ConversationFilterInput }),
    anyColumn: t.field({
      type: StringFilterInput,
      description: 'Some column of the table has it; the negative matches: none has it.',
    }),
    number: t.field({ type: IntFilterInput }),
    source: t.field({ type: [ConversationSource] }),
    businessNumberIds: t.idList(),
    lastRepliedByIds: t.idList(),
    lastRepliedByMe: t.boolean({ description: 'Nothing for a dashboard token.' }),
    neverReplied: t.boolean({ description: 'No operator has replied yet.' }),
    participant: t.field({ type: StringFilterInput, description: 'Name, or number in any spelling.' }),
    lastMessage: t.field({ type: StringFilterInput }),
    lastMessageStatus: t.field({ type: [MessageStatus] }),
    lastMessageDirection: t.field({ type: MessageDirection }),
    lastMessageAt: t.field({ type: DateTimeFilterInput }),
    createdAt: t.field({ type: DateTimeFilterInput }),
    beaconOn: t.boolean(),
    noReplyNeeded: t.boolean(),
    hasUnread: t.boolean(),
    windowState: t.field({ type: [WindowState] }),
    windowExpiresAt: t.field({ type: DateTimeFilterInput }),
    hasRequests: t.boolean(),
    requestCode: t.field({ type: StringFilterInput }),
  }),
});

export const ConversationSearchInput = builder.inputType('ConversationSearchInput', {
  description:
    'Every word must be found in one of the columns, without regard to case and accents. Phone numbers are found in any spelling. A word of one or two characters must begin a number, a phone number or a word of a name.',
  fields: (t) => ({
    query: t.string({
      required: true,
      description: `At most ${MAX_SEARCH_LENGTH} characters; empty finds everything.`,
    }),
    columns: t.field({ type: [ConversationSearchColumn], description: 'All where left out; not empty.' }),
  }),
});

export const ConversationOrderInput = builder.inputType('ConversationOrderInput', {
  fields: (t) => ({
    field: t.field({ type: ConversationSortField, required: true, defaultValue: 'LAST_MESSAGE_AT' }),
    direction: t.field({ type: SortDirection, required: true, defaultValue: 'DESC' }),
  }),
});
