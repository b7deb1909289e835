import { all, any, literal, nothing, type Condition } from '../../db/condition.ts';
import { ConversationSearchColumn } from '../../generated/prisma/enums.ts';
import { foldLine } from '../search-text.ts';
import { isPhonePart, phoneDigits } from './phone-digits.ts';
import { like, matches, numberStartsWith, oneOf, type Directory } from './text-conditions.ts';

export type SearchColumn = ConversationSearchColumn;
export const searchColumns: readonly SearchColumn[] = Object.values(ConversationSearchColumn);
export const MAX_SEARCH_LENGTH = 200;

/** Below this a trigram index cannot help: such a word must begin a number, a phone number or a word of a name. */
const SHORT = 3;

type Word = { text: string; digits: string | null };

/** Every word must be found in one of the columns; nothing to seek finds everything. */
export function searchCondition(query: string, columns: readonly SearchColumn[], directory: Directory): Condition {
  const words = query
    // A number copied out of a phone comes between marks of the direction in which it is read.
    .split(/[\s\p{Cc}\p{Bidi_C}]+/u)
    .map((word) => ({ text: foldLine(word), digits: phoneDigits(word) }))
    .filter(({ text }) => text !== '');
  const parts = phoneRuns(words).map((run) => runCondition(run, sought(columns), directory));
  return all(...parts);
}

/** The last message is one of the messages. */
function sought(columns: readonly SearchColumn[]): readonly SearchColumn[] {
  return columns.includes('MESSAGES') ? columns.filter((column) => column !== 'LAST_MESSAGE') : columns;
}

/** "+420 777 123 456" is one phone number: its parts that follow each other stay together. */
function phoneRuns(words: Word[]): Word[][] {
  const runs: Word[][] = [];
  for (const word of words) {
    const last = runs.at(-1);
    const before = last?.at(-1);
    if (last && before && isPhonePart(before.text) && isPhonePart(word.text)) last.push(word);
    else runs.push([word]);
  }
  return runs;
}

function runCondition(run: Word[], columns: readonly SearchColumn[], directory: Directory): Condition {
  const separately = all(...run.map((word) => wordCondition(word, columns, directory)));
  if (run.length === 1) return separately;
  const digits = phoneDigits(run.map((word) => word.text).join(''));
  return digits === null ? separately : any(phoneCondition(digits, columns, directory), separately);
}

function wordCondition({ text, digits }: Word, columns: readonly SearchColumn[], directory: Directory): Condition {
  const isShort = Array.from(text).length < SHORT;
  const inText = columns.map((column) =>
    isShort ? beginsIn(column, text, directory) : standsIn(column, text, directory),
  );
  // Whoever has the digits in their number has them in their text.
  const others = digits === text ? columns.filter((column) => column !== 'PARTICIPANT') : columns;
  return any(...inText, digits === null ? nothing : phoneCondition(digits, others, directory));
}

function standsIn(column: SearchColumn, text: string, { businessNumbers, operators }: Directory): Condition {
  const pattern = `%${literal(text)}%`;
  switch (column) {
    case 'NUMBER':
      return /^\d+$/.test(text) ? numberStartsWith(text) : nothing;
    case 'BUSINESS_NUMBER':
      return oneOf('businessNumberId', businessNumbers, (row) => foldLine(row.displayName ?? '').includes(text));
    case 'OPERATOR':
      return oneOf('lastRepliedById', operators, (row) => foldLine(row.displayName).includes(text));
    case 'PARTICIPANT':
      return like('participantSearch', pattern);
    case 'LAST_MESSAGE':
      return like('lastMessageSearch', pattern);
    case 'REQUEST_CODE':
      return like('requestCodes', pattern);
    case 'MESSAGES':
      return { is: 'message-like', pattern };
  }
}

function beginsIn(column: SearchColumn, text: string, { businessNumbers, operators }: Directory): Condition {
  switch (column) {
    case 'NUMBER':
      return /^\d+$/.test(text) ? numberStartsWith(text) : nothing;
    case 'BUSINESS_NUMBER':
      return oneOf('businessNumberId', businessNumbers, (row) => beginsWord(phoneAndName(row), text));
    case 'OPERATOR':
      return oneOf('lastRepliedById', operators, (row) => beginsWord(foldLine(row.displayName), text));
    case 'PARTICIPANT':
      return { is: 'begins', column: 'participantSearch', text };
    case 'LAST_MESSAGE':
    case 'REQUEST_CODE':
    case 'MESSAGES':
      return nothing;
  }
}

function beginsWord(line: string, text: string): boolean {
  return line.split(/[ \-\n]/).some((word) => word.startsWith(text));
}

function phoneAndName(row: Directory['businessNumbers'][number]): string {
  return `${foldLine(row.displayName ?? '')}\n${row.phoneNumber.replace(/\D/g, '')}`;
}

function phoneCondition(digits: string, columns: readonly SearchColumn[], directory: Directory): Condition {
  const match = digits.length < SHORT ? 'STARTS_WITH' : 'CONTAINS';
  const begin = match === 'CONTAINS' ? '%' : '';
  return any(
    columns.includes('PARTICIPANT') ? like('participantSearch', `%\n${begin}${digits}%`) : nothing,
    columns.includes('BUSINESS_NUMBER')
      ? oneOf('businessNumberId', directory.businessNumbers, (row) =>
          matches(row.phoneNumber.replace(/\D/g, ''), match, digits),
        )
      : nothing,
  );
}
