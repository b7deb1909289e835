import { literal } from '../db/condition.ts';
import { badInput } from '../errors.ts';
import { MAX_SEARCH_LENGTH } from '../services/list/search.ts';
import { foldLine } from '../services/search-text.ts';
import { isLongerThan } from '../services/text-length.ts';

type Contains = { searchText: { contains: string } };

/** Every word must occur somewhere in the folded text; Prisma hands it to LIKE as it is. An empty search lets everything through. */
export function containsWords(search: string | null | undefined, argument: string): Contains[] {
  return wordsOf(search, argument).map((word) => ({ searchText: { contains: literal(word) } }));
}

/** As above, for texts that hold phone numbers: digits match with or without + and 00. */
export function containsWordsOrDigits(search: string | null | undefined, argument: string): Contains[] {
  return wordsOf(search, argument)
    .map((word) => word.replace(/^(?:\+|00)(?=\d)/, ''))
    .map((word) => ({ searchText: { contains: literal(word) } }));
}

function wordsOf(search: string | null | undefined, argument: string): string[] {
  if (!search) return [];
  if (isLongerThan(search, MAX_SEARCH_LENGTH))
    throw badInput(`A search has at most ${MAX_SEARCH_LENGTH} characters.`, argument);
  return foldLine(search)
    .split(' ')
    .filter((word) => word !== '');
}
