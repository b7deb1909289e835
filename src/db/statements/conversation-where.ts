import type { Condition, ConditionColumn } from '../condition.ts';
import type { Parameters } from './parameters.ts';

/**
 * How texts of messages are looked up. `collect`: the conversations of all matching messages first, by the trigram
 * index; `probe`: message by message for each conversation that is looked at. A word in every third message takes
 * seconds to collect and a millisecond to find by probing; for a rare word it is the other way round.
 */
export type MessageLookup = (pattern: string) => 'collect' | 'probe';

const columns: Record<ConditionColumn, { name: string; type: string; isNullable?: true }> = {
  number: { name: 'c.number', type: 'integer' },
  numberText: { name: 'c.number::text', type: 'text' },
  source: { name: 'c.source', type: '"ConversationSource"' },
  businessNumberId: { name: 'c.business_number_id', type: 'uuid' },
  lastRepliedById: { name: 'c.last_replied_by_id', type: 'uuid', isNullable: true },
  participantSearch: { name: 'c.participant_search', type: 'text' },
  lastMessageSearch: { name: 'c.last_message_search', type: 'text' },
  lastMessageStatus: { name: 'c.last_message_status', type: '"MessageStatus"', isNullable: true },
  lastMessageDirection: { name: 'c.last_message_direction', type: '"MessageDirection"', isNullable: true },
  lastMessageAt: { name: 'c.last_message_at', type: 'timestamptz' },
  createdAt: { name: 'c.created_at', type: 'timestamptz' },
  beaconOn: { name: 'c.beacon_on', type: 'boolean' },
  noReplyNeeded: { name: 'c.no_reply_needed', type: 'boolean' },
  unreadCount: { name: 'c.unread_count', type: 'integer' },
  windowExpiresAt: { name: 'c.window_expires_at', type: 'timestamptz', isNullable: true },
  requestCount: { name: 'c.request_count', type: 'integer' },
  requestCodes: { name: 'c.request_codes', type: 'text' },
  mergedIntoId: { name: 'c.merged_into_id', type: 'uuid', isNullable: true },
};

/** The condition as SQL over `conversation c`. Every value of a client becomes a parameter. */
export function whereSql(condition: Condition, parameters: Parameters, lookup: MessageLookup): string {
  switch (condition.is) {
    case 'all':
    case 'any': {
      if (condition.of.length === 0) return condition.is === 'all' ? 'true' : 'false';
      const parts = condition.of.map((part) => whereSql(part, parameters, lookup));
      return `(${parts.join(condition.is === 'all' ? ' AND ' : ' OR ')})`;
    }
    case 'not':
      return `NOT ${whereSql(condition.of, parameters, lookup)}`;
    case 'true':
      return columns[condition.column].name;
    case 'null':
      return `(${columns[condition.column].name} IS NULL)`;
    case 'like':
      return `${columns[condition.column].name} LIKE ${parameters.add(condition.pattern)}`;
    case 'in':
      return known(condition.column, (type) => `= ANY(${parameters.add(condition.values)}::${type}[])`);
    case 'message-like':
      return messageSql(parameters.add(condition.pattern), lookup(condition.pattern));
    case '=':
    case '>':
    case '>=':
    case '<':
    case '<=':
      return known(condition.column, (type) => `${condition.is} ${parameters.add(condition.value)}::${type}`);
  }
}

/** False, not unknown, where the column is null: otherwise `not` would lose such rows. */
function known(column: ConditionColumn, compare: (type: string) => string): string {
  const { name, type, isNullable } = columns[column];
  const comparison = `${name} ${compare(type)}`;
  return isNullable ? `(${name} IS NOT NULL AND ${comparison})` : `(${comparison})`;
}

// An array of an uncorrelated subquery can be part of a bitmap OR with the other columns; IN and EXISTS cannot. OFFSET 0
// keeps PostgreSQL from probing by a hash of all messages that match, which takes seconds to make.
function messageSql(pattern: string, lookup: 'collect' | 'probe'): string {
  return lookup === 'collect'
    ? `c.id = ANY(ARRAY(SELECT m.conversation_id FROM message m WHERE m.search_text LIKE ${pattern}))`
    : `EXISTS (SELECT 1 FROM message m WHERE m.conversation_id = c.id AND m.search_text LIKE ${pattern} OFFSET 0)`;
}
