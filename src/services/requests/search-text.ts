import { foldText } from '../preview.ts';

/** What a search for a request looks at. */
export function requestSearchText({ code, name }: { code: string; name: string }): string {
  return foldText(`${code} ${name}`);
}
