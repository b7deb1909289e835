import { visit, type DocumentNode } from 'graphql';
import { tooMuch, type LimitName } from './limits.ts';
import type { Refusal } from '../errors.ts';

/** What a document asks for before anything is known of the schema: found once, when it is parsed. */
export type DocumentTraits = { refusal: Refusal | null; introspects: boolean };

// The largest operations of the contract's own screens use 12 aliases and 6 directives.
const MAX_ALIASES = 60;
const MAX_DIRECTIVES = 60;

const INTROSPECTION_FIELDS = new Set(['__schema', '__type']);

/** Counts over the whole document, fragments included, so that no name of a fragment hides anything. */
export function traitsOf(document: DocumentNode): DocumentTraits {
  let aliases = 0;
  let directives = 0;
  let introspects = false;
  visit(document, {
    Field(node) {
      if (node.alias) aliases += 1;
      introspects ||= INTROSPECTION_FIELDS.has(node.name.value);
    },
    Directive() {
      directives += 1;
    },
  });
  const refusal = over('aliases', aliases, MAX_ALIASES) ?? over('directives', directives, MAX_DIRECTIVES);
  return { refusal, introspects };
}

function over(limit: LimitName, found: number, allowed: number): Refusal | null {
  return found > allowed ? tooMuch(limit, found, allowed) : null;
}
