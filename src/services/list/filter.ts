import { all, any, everything, not, nothing, type Condition, type ConditionColumn } from '../../db/condition.ts';
import type { ConversationSource, MessageDirection, MessageStatus, WindowState } from '../../generated/prisma/enums.ts';
import { windowRange } from '../window.ts';
import { dayRange, type RelativeDay } from '../local-days.ts';
import { matchText, type Directory, type Match, type TextColumn } from './text-conditions.ts';

export type StringFilter = { match: Match; value: string };
export type IntFilter = { eq?: number | null; gte?: number | null; lte?: number | null; in?: readonly number[] | null };
export type DateTimeFilter = {
  gte?: Date | null;
  lt?: Date | null;
  relative?: RelativeDay | null;
  timeZone?: string | null;
};

/** The conditions of one object hold together. Ids are those of rows. */
export type ConversationFilter = {
  and?: readonly ConversationFilter[] | null;
  or?: readonly ConversationFilter[] | null;
  not?: ConversationFilter | null;
  anyColumn?: StringFilter | null;
  number?: IntFilter | null;
  source?: readonly ConversationSource[] | null;
  businessNumberIds?: readonly string[] | null;
  lastRepliedByIds?: readonly string[] | null;
  lastRepliedByMe?: boolean | null;
  neverReplied?: boolean | null;
  participant?: StringFilter | null;
  lastMessage?: StringFilter | null;
  lastMessageStatus?: readonly MessageStatus[] | null;
  lastMessageDirection?: MessageDirection | null;
  lastMessageAt?: DateTimeFilter | null;
  createdAt?: DateTimeFilter | null;
  beaconOn?: boolean | null;
  noReplyNeeded?: boolean | null;
  hasUnread?: boolean | null;
  windowState?: readonly WindowState[] | null;
  windowExpiresAt?: DateTimeFilter | null;
  hasRequests?: boolean | null;
  requestCode?: StringFilter | null;
};

/** What a filter means depends on who asks, when and where. */
export type FilterFacts = {
  now: Date;
  timeZone: string;
  windowWarningMinutes: number;
  /** Null for a token. */
  operatorId: string | null;
  /** What `anyColumn` looks into: the columns whose values the viewer may see. */
  anyColumns: readonly TextColumn[];
  directory: Directory;
};

export function filterCondition(filter: ConversationFilter, facts: FilterFacts): Condition {
  const { operatorId, directory } = facts;
  const text = (columns: readonly TextColumn[], given: StringFilter | null | undefined) =>
    given ? matchText(columns, given.match, given.value, directory) : everything;
  return all(
    ...(filter.and ?? []).map((part) => filterCondition(part, facts)),
    filter.or ? any(...filter.or.map((part) => filterCondition(part, facts))) : everything,
    filter.not ? not(filterCondition(filter.not, facts)) : everything,
    text(facts.anyColumns, filter.anyColumn),
    filter.number ? numberCondition(filter.number) : everything,
    oneOf('source', filter.source),
    oneOf('businessNumberId', filter.businessNumberIds),
    oneOf('lastRepliedById', filter.lastRepliedByIds),
    claim(operatorId ? oneOf('lastRepliedById', [operatorId]) : nothing, filter.lastRepliedByMe),
    claim({ is: 'null', column: 'lastRepliedById' }, filter.neverReplied),
    text(['PARTICIPANT'], filter.participant),
    text(['LAST_MESSAGE'], filter.lastMessage),
    oneOf('lastMessageStatus', filter.lastMessageStatus),
    oneOf('lastMessageDirection', filter.lastMessageDirection && [filter.lastMessageDirection]),
    timeCondition('lastMessageAt', filter.lastMessageAt, facts),
    timeCondition('createdAt', filter.createdAt, facts),
    claim({ is: 'true', column: 'beaconOn' }, filter.beaconOn),
    claim({ is: 'true', column: 'noReplyNeeded' }, filter.noReplyNeeded),
    claim({ is: '>', column: 'unreadCount', value: 0 }, filter.hasUnread),
    filter.windowState ? any(...filter.windowState.map((state) => windowCondition(state, facts))) : everything,
    timeCondition('windowExpiresAt', filter.windowExpiresAt, facts),
    claim({ is: '>', column: 'requestCount', value: 0 }, filter.hasRequests),
    text(['REQUEST_CODE'], filter.requestCode),
  );
}

/** True, false, or not asked for. */
function claim(condition: Condition, value: boolean | null | undefined): Condition {
  if (value == null) return everything;
  return value ? condition : not(condition);
}

function oneOf(column: ConditionColumn, values: readonly string[] | null | undefined): Condition {
  return values ? { is: 'in', column, values } : everything;
}

function numberCondition({ eq, gte, lte, in: values }: IntFilter): Condition {
  const compare = (is: '=' | '>=' | '<=', value: number | null | undefined): Condition =>
    value == null ? everything : { is, column: 'number', value };
  return all(
    compare('=', eq),
    compare('>=', gte),
    compare('<=', lte),
    values ? { is: 'in', column: 'number', values } : everything,
  );
}

function timeCondition(
  column: ConditionColumn,
  given: DateTimeFilter | null | undefined,
  facts: FilterFacts,
): Condition {
  if (!given) return everything;
  const { gte, lt } = given.relative ? dayRange(given.relative, facts.now, given.timeZone ?? facts.timeZone) : given;
  return all(gte ? { is: '>=', column, value: gte } : everything, lt ? { is: '<', column, value: lt } : everything);
}

function windowCondition(state: WindowState, { now, windowWarningMinutes }: FilterFacts): Condition {
  const column = 'windowExpiresAt';
  const range = windowRange(state, now, windowWarningMinutes);
  if (range === null) return { is: 'null', column };
  return all(
    range.after ? { is: '>', column, value: range.after } : everything,
    range.upTo ? { is: '<=', column, value: range.upTo } : everything,
  );
}
