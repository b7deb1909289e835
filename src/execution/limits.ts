import { Refusal } from '../errors.ts';

export type LimitName =
  | 'tokens'
  | 'aliases'
  | 'directives'
  | 'depth'
  | 'fields'
  | 'complexity'
  | 'variables'
  | 'introspection'
  | 'trusted-documents'
  | 'operations'
  | 'address'
  | 'body';

/** What one document may hold, whatever it is asked for with; its points of complexity are a setting. */
export type DocumentLimits = {
  length: number;
  tokens: number;
  depth: number;
  fields: number;
  aliases: number;
  directives: number;
};

// At least twice of what the largest operations of the module's own screens use.
export const documentLimits: DocumentLimits = {
  length: 64 * 1024,
  tokens: 2_000,
  depth: 16,
  fields: 1_500,
  aliases: 60,
  directives: 60,
};

const descriptions: Partial<Record<LimitName, string>> = {
  tokens: 'words and signs',
  aliases: 'aliases',
  directives: 'directives',
  depth: 'levels of fields',
  fields: 'fields with its fragments spread out',
  complexity: 'points of complexity, where a page counts what it holds as often as its size',
};

/** Refuses an operation that asks for more than one may, before anything of it is done. */
export function tooMuch(limit: LimitName, found: number | null, allowed: number): Refusal {
  const told = found === null ? 'more' : String(found);
  return new Refusal(
    'COMPLEXITY_LIMIT',
    `An operation has at most ${allowed} ${descriptions[limit]}; this has ${told}.`,
    {
      limit,
      allowed,
      ...(found !== null && { found }),
    },
  );
}
