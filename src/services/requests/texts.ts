import { isLongerThan } from '../text-length.ts';
import type { Problems } from './problems.ts';

const MAX_NAME_LENGTH = 255;
const MAX_TEXT_LENGTH = 32_768;

/** One line of 1 to 255 characters. Markup is text like any other. */
export function checkName(problems: Problems, name: string): string {
  const line = name
    .toWellFormed()
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  if (line === '') problems.invalid('REQUIRED', 'Give the request a name.', 'name');
  if (isLongerThan(line, MAX_NAME_LENGTH))
    problems.invalid('TOO_LONG', `A name has at most ${MAX_NAME_LENGTH} characters.`, 'name');
  return line;
}

/** Stored as it was sent. */
export function checkText(problems: Problems, text: string, ...path: string[]): string {
  if (isLongerThan(text, MAX_TEXT_LENGTH))
    problems.invalid('TOO_LONG', `A text has at most ${MAX_TEXT_LENGTH} characters.`, ...path);
  if (text.includes('\0')) problems.invalid('UNSTORABLE', 'A text must not hold the character U+0000.', ...path);
  return text.toWellFormed();
}
