import { foldText } from './preview.ts';

/** Parts of a search column stand in lines of their own, so that LIKE can tell where a part begins and ends. */
const BREAK = '\n';

/** For searching: folded, in one line, without what PostgreSQL cannot keep. */
export function foldLine(text: string): string {
  return foldText(text)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
}

/** What a search for a customer looks at: the folded name, then the digits of the number. */
export function joinParticipantSearch(name: string, phoneNumber: string): string {
  return `${foldLine(name)}${BREAK}${phoneNumber.replace(/\D/g, '')}`;
}

/** What a search for request codes looks at: `\n` before, between and after them. */
export function joinRequestCodes(codes: readonly string[]): string {
  return codes.length === 0 ? '' : `${BREAK}${codes.map(foldLine).join(BREAK)}${BREAK}`;
}
