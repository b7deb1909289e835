import { visit, type DocumentNode } from 'graphql';
import { tooMuch, type DocumentLimits, type LimitName } from './limits.ts';
import type { Refusal } from '../errors.ts';

/** What a document asks for before anything is known of the schema: found once, when it is parsed. */
export type DocumentTraits = { refusal: Refusal | null; introspects: boolean };

const INTROSPECTION_FIELDS = new Set(['__schema', '__type']);

/** Counts over the whole document, fragments included, so that no name of a fragment hides anything. */
export function traitsOf(document: DocumentNode, limits: DocumentLimits): DocumentTraits {
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
  const refusal = over('aliases', aliases, limits.aliases) ?? over('directives', directives, limits.directives);
  return { refusal, introspects };
}

function over(limit: LimitName, found: number, allowed: number): Refusal | null {
  return found > allowed ? tooMuch(limit, found, allowed) : null;
}
