import {
  all,
  any,
  everything,
  literal,
  nothing,
  not,
  type Condition,
  type ConditionColumn,
} from '../../db/condition.ts';
import { foldLine } from '../search-text.ts';
import { phoneDigits } from './phone-digits.ts';

export type Match = 'CONTAINS' | 'NOT_CONTAINS' | 'EQUALS' | 'NOT_EQUALS' | 'STARTS_WITH';
export type PositiveMatch = Exclude<Match, `NOT_${string}`>;

/** What can be looked into with text. Rows of operators and numbers are few: they are looked through here. */
export type TextColumn = 'NUMBER' | 'BUSINESS_NUMBER' | 'OPERATOR' | 'PARTICIPANT' | 'LAST_MESSAGE' | 'REQUEST_CODE';

export type Directory = {
  businessNumbers: readonly { id: string; phoneNumber: string; displayName: string | null }[];
  operators: readonly { id: string; displayName: string }[];
};

/** A text sought in one of several columns; the negative matches hold where none of the columns has it. */
export function matchText(
  columns: readonly TextColumn[],
  match: Match,
  value: string,
  directory: Directory,
): Condition {
  const positive = positiveOf(match);
  const condition = any(...columns.map((column) => matchColumn(column, positive, foldLine(value), directory)));
  return positive === match ? condition : not(condition);
}

function positiveOf(match: Match): PositiveMatch {
  if (match === 'NOT_CONTAINS') return 'CONTAINS';
  return match === 'NOT_EQUALS' ? 'EQUALS' : match;
}

/** `text` is folded. */
function matchColumn(column: TextColumn, match: PositiveMatch, text: string, directory: Directory): Condition {
  switch (column) {
    case 'NUMBER':
      return matchNumber(match, text);
    case 'BUSINESS_NUMBER':
      return oneOf('businessNumberId', directory.businessNumbers, (row) => matchesBusinessNumber(row, match, text));
    case 'OPERATOR':
      return oneOf('lastRepliedById', directory.operators, (row) => matches(foldLine(row.displayName), match, text));
    case 'PARTICIPANT':
      return matchParticipant(match, text);
    case 'LAST_MESSAGE':
      return like('lastMessageSearch', pattern(match, text));
    case 'REQUEST_CODE':
      return like('requestCodes', match === 'CONTAINS' ? `%${literal(text)}%` : `%\n${pattern(match, text, '\n%')}`);
  }
}

function matchNumber(match: PositiveMatch, text: string): Condition {
  if (!/^\d{1,10}$/.test(text)) return nothing;
  if (match === 'STARTS_WITH') return numberStartsWith(text);
  if (match === 'EQUALS') {
    const value = clampInt(Number(text));
    return String(value) === text ? { is: '=', column: 'number', value } : nothing;
  }
  return like('numberText', `%${text}%`);
}

/** Name and number of the customer are two lines of one column. */
function matchParticipant(match: PositiveMatch, text: string): Condition {
  const digits = phoneDigits(text);
  const phone = digits === null ? nothing : like('participantSearch', `%\n${phonePattern(match, digits)}`);
  if (match === 'CONTAINS') return any(like('participantSearch', `%${literal(text)}%`), phone);
  return any(like('participantSearch', pattern(match, text, '\n%')), phone);
}

function phonePattern(match: PositiveMatch, digits: string): string {
  if (match === 'EQUALS') return digits;
  return match === 'STARTS_WITH' ? `${digits}%` : `%${digits}%`;
}

function matchesBusinessNumber(row: Directory['businessNumbers'][number], match: PositiveMatch, text: string): boolean {
  const digits = phoneDigits(text);
  return (
    matches(foldLine(row.displayName ?? ''), match, text) ||
    (digits !== null && matches(row.phoneNumber.replace(/\D/g, ''), match, digits))
  );
}

export function matches(value: string, match: PositiveMatch, text: string): boolean {
  if (match === 'EQUALS') return value === text;
  return match === 'STARTS_WITH' ? value.startsWith(text) : value.includes(text);
}

/** A LIKE pattern; `end` stands where the text must end. */
function pattern(match: PositiveMatch, text: string, end = ''): string {
  if (match === 'EQUALS') return `${literal(text)}${end}`;
  return match === 'STARTS_WITH' ? `${literal(text)}%` : `%${literal(text)}%`;
}

export function like(column: ConditionColumn, pattern: string): Condition {
  return { is: 'like', column, pattern };
}

/** Rows of a small table are matched here and asked for by id. */
export function oneOf<Row extends { id: string }>(
  column: ConditionColumn,
  rows: readonly Row[],
  matches: (row: Row) => boolean,
): Condition {
  const values = rows.filter(matches).map((row) => row.id);
  return values.length === 0 ? nothing : { is: 'in', column, values };
}

const MAX_INT = 2_147_483_647;

function clampInt(value: number): number {
  return Math.min(value, MAX_INT);
}

/** A number that begins with these digits lies in one of a few ranges, which the index on numbers serves. */
export function numberStartsWith(digits: string): Condition {
  if (digits === '') return everything;
  if (!/^[1-9]\d{0,9}$/.test(digits)) return nothing;
  const ranges: Condition[] = [];
  for (let from = Number(digits), width = 1; from <= MAX_INT; from *= 10, width *= 10) {
    const to = clampInt(from + width - 1);
    ranges.push(all({ is: '>=', column: 'number', value: from }, { is: '<=', column: 'number', value: to }));
  }
  return any(...ranges);
}
