import type { Condition, ConditionColumn } from '../condition.ts';
import type { Parameters } from './parameters.ts';

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

/** Whether some message of `conversation c` matches a pattern, as SQL. */
export type HasMessage = (pattern: string) => string;

// OFFSET 0 keeps PostgreSQL from probing by a hash of all messages that match, which takes seconds to make.
export function probeMessages(parameters: Parameters): HasMessage {
  return (pattern) =>
    `EXISTS (SELECT 1 FROM message m WHERE m.conversation_id = c.id AND m.search_text LIKE ${parameters.add(pattern)} OFFSET 0)`;
}

/** The condition as SQL over `conversation c`. Every value of a client becomes a parameter. */
export function whereSql(
  condition: Condition,
  parameters: Parameters,
  hasMessage: HasMessage = probeMessages(parameters),
): string {
  switch (condition.is) {
    case 'all':
    case 'any': {
      if (condition.of.length === 0) return condition.is === 'all' ? 'true' : 'false';
      const parts = messagesLast(condition.of).map((part) => whereSql(part, parameters, hasMessage));
      return `(${parts.join(condition.is === 'all' ? ' AND ' : ' OR ')})`;
    }
    case 'not':
      return `NOT ${whereSql(condition.of, parameters, hasMessage)}`;
    case 'true':
      return columns[condition.column].name;
    case 'null':
      return `(${columns[condition.column].name} IS NULL)`;
    case 'like':
    case 'begins': {
      const matches = textSql(columns[condition.column].name, condition, parameters);
      // The index holds only conversations that have requests.
      return condition.column === 'requestCodes' ? `(c.request_codes <> '' AND ${matches})` : matches;
    }
    case 'message-like':
      return hasMessage(condition.pattern);
    case 'in':
      return known(condition.column, (type) => `= ANY(${parameters.add(condition.values)}::${type}[])`);
    case '=':
    case '>':
    case '>=':
    case '<':
    case '<=':
      return known(condition.column, (type) => `${condition.is} ${parameters.add(condition.value)}::${type}`);
  }
}

/** PostgreSQL looks at the parts of an OR one after the other, and messages take ten times as long as the row. */
function messagesLast(parts: readonly Condition[]): Condition[] {
  return parts.toSorted((one, other) => Number(readsMessages(one)) - Number(readsMessages(other)));
}

export function readsMessages(condition: Condition): boolean {
  if (condition.is === 'not') return readsMessages(condition.of);
  if (condition.is === 'all' || condition.is === 'any') return condition.of.some(readsMessages);
  return condition.is === 'message-like';
}

export type TextMatch = Extract<Condition, { is: 'like' | 'begins' }>;

export function textSql(column: string, match: TextMatch, parameters: Parameters): string {
  if (match.is === 'like') return `${column} LIKE ${parameters.add(match.pattern)}`;
  // One look into a trigram index, where LIKE needs one for each border of a word.
  return `${column} ~ ${parameters.add(`(^|[ \\n-])${match.text.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)}`)}`;
}

/** False, not unknown, where the column is null: otherwise `not` would lose such rows. */
function known(column: ConditionColumn, compare: (type: string) => string): string {
  const { name, type, isNullable } = columns[column];
  const comparison = `${name} ${compare(type)}`;
  return isNullable ? `(${name} IS NOT NULL AND ${comparison})` : `(${comparison})`;
}
