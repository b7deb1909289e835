import type { Condition, ConditionColumn } from '../condition.ts';
import type { Parameters } from './parameters.ts';

/** Where a text stands that conversations are sought by. */
export type TextTable = 'message' | 'participant';

export type SoughtText = { table: TextTable; pattern: string };

/** About how many rows of the table match a pattern. */
export type Occurrences = (text: SoughtText) => number;

/** Texts are looked for in each conversation by itself. */
export const probeOnly: Occurrences = () => Infinity;

/**
 * Texts are looked up in two ways. Collecting: the conversations of everything that matches first, by the trigram
 * indexes of messages and customers; a trigram index on the conversation itself would have to be written anew with every
 * message, which took more time than all the rest of storing one. Probing: each conversation that is looked at. A word
 * in every third message takes seconds to collect and a millisecond to find by probing; for a rare word it is the other
 * way round.
 */
// Collecting takes about 2 us a row, probing messages 15 us for each conversation on the way to a full page: at 200,000
// conversations and at a million they cross between 9,000 and 20,000 rows.
const MAX_COLLECTED = 10_000;

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

/** What a few rows are found by through an index of the conversation itself. */
const indexed = new Set<ConditionColumn>(['number', 'businessNumberId', 'lastRepliedById', 'requestCodes']);

/** The condition as SQL over `conversation c`. Every value of a client becomes a parameter. */
export function whereSql(condition: Condition, parameters: Parameters, occurrences: Occurrences): string {
  switch (condition.is) {
    case 'all':
    case 'any': {
      if (condition.of.length === 0) return condition.is === 'all' ? 'true' : 'false';
      // Where one part of an OR has to be looked for in each conversation, the others lose nothing by that.
      const isWalk = condition.is === 'any' && rowsToCollect(condition, occurrences) > MAX_COLLECTED;
      const parts = condition.of.map((part) => whereSql(part, parameters, isWalk ? probeOnly : occurrences));
      return `(${parts.join(condition.is === 'all' ? ' AND ' : ' OR ')})`;
    }
    case 'not':
      return `NOT ${whereSql(condition.of, parameters, probeOnly)}`;
    case 'true':
      return columns[condition.column].name;
    case 'null':
      return `(${columns[condition.column].name} IS NULL)`;
    case 'like':
    case 'message-like':
      return textSql(condition, parameters, rowsToCollect(condition, occurrences) <= MAX_COLLECTED);
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

/** The texts whose frequency decides how they are looked up. */
export function soughtTexts(condition: Condition): SoughtText[] {
  if (condition.is === 'not') return [];
  if (condition.is === 'all' || condition.is === 'any') return condition.of.flatMap(soughtTexts);
  const text = condition.is === 'like' || condition.is === 'message-like' ? soughtText(condition) : null;
  return text ? [text] : [];
}

function soughtText(condition: TextCondition): SoughtText | null {
  const { pattern } = condition;
  if (condition.is === 'message-like') return { table: 'message', pattern };
  if (condition.column === 'participantSearch') return { table: 'participant', pattern: endOfNumber(pattern) };
  return condition.column === 'lastMessageSearch' ? { table: 'message', pattern: contained(pattern) } : null;
}

/** How many rows an index finds for it; without end where none serves it. */
function rowsToCollect(condition: Condition, occurrences: Occurrences): number {
  switch (condition.is) {
    case 'any':
      return condition.of.reduce((sum, part) => sum + rowsToCollect(part, occurrences), 0);
    case 'all':
      return Math.min(...condition.of.map((part) => rowsToCollect(part, occurrences)));
    case 'message-like':
    case 'like': {
      const text = soughtText(condition);
      if (text) return occurrences(text);
      return condition.is === 'like' && indexed.has(condition.column) ? 0 : Infinity;
    }
    case 'in':
    case '=':
    case '>':
    case '>=':
    case '<':
    case '<=':
      return indexed.has(condition.column) ? 0 : Infinity;
    case 'not':
    case 'true':
    case 'null':
      return Infinity;
  }
}

type TextCondition = Extract<Condition, { pattern: string }>;

function textSql(condition: TextCondition, parameters: Parameters, isCollected: boolean): string {
  const text = soughtText(condition);
  if (condition.is === 'message-like') {
    const pattern = parameters.add(condition.pattern);
    return isCollected ? collectSql.message(pattern) : probeMessages(pattern);
  }
  const row = `${columns[condition.column].name} LIKE ${parameters.add(condition.pattern)}`;
  // The index holds only conversations that have requests.
  if (condition.column === 'requestCodes') return `(c.request_codes <> '' AND ${row})`;
  // Whatever is collected, the row decides.
  return text && isCollected ? `(${collectSql[text.table](parameters.add(text.pattern))} AND ${row})` : row;
}

/** The numbers of a country begin alike, and an index takes longest over what all have. */
function endOfNumber(pattern: string): string {
  return pattern.replace(/^%\n%?\d+(?=\d{8}%$)/, '%');
}

/** A message says all that the table shows of it, and perhaps more. */
function contained(pattern: string): string {
  return /^%.*(?<!\\)%$/s.test(pattern) ? pattern : `%${pattern}%`;
}

// An array of an uncorrelated subquery can be part of a bitmap OR with the other columns; IN and EXISTS cannot.
const collectSql: Record<TextTable, (pattern: string) => string> = {
  message: (pattern) =>
    `c.id = ANY(ARRAY(SELECT m.conversation_id FROM message m WHERE m.search_text LIKE ${pattern}))`,
  participant: (pattern) =>
    `c.participant_id = ANY(ARRAY(SELECT p.id FROM participant p WHERE p.search_text LIKE ${pattern}))`,
};

// OFFSET 0 keeps PostgreSQL from probing by a hash of all messages that match, which takes seconds to make.
function probeMessages(pattern: string): string {
  return `EXISTS (SELECT 1 FROM message m WHERE m.conversation_id = c.id AND m.search_text LIKE ${pattern} OFFSET 0)`;
}

/** False, not unknown, where the column is null: otherwise `not` would lose such rows. */
function known(column: ConditionColumn, compare: (type: string) => string): string {
  const { name, type, isNullable } = columns[column];
  const comparison = `${name} ${compare(type)}`;
  return isNullable ? `(${name} IS NOT NULL AND ${comparison})` : `(${comparison})`;
}
