import { getNamedType, isLeafType, isListType, isNonNullType, type GraphQLOutputType } from 'graphql';

type Complexity = { field: number; multiplier: number };

/** Values that come with their object cost nothing of their own. */
const LEAF: Complexity = { field: 0, multiplier: 1 };

/** For the list in a page: the page itself has been counted by its size. */
export const WITHIN_PAGE: Complexity = { field: 1, multiplier: 1 };

/** Lists without a size, such as the reactions of a message, are short. */
const SHORT_LIST = 3;

const PAGE_FIELDS = new Set(['nodes', 'edges']);

/** Points of a field, and how often what is below it counts: a page as often as it is large. */
export function fieldComplexity(
  args: Record<string, unknown>,
  _context: object,
  { name, type }: { name: string; type: GraphQLOutputType },
): Complexity {
  if (isLeafType(getNamedType(type))) return LEAF;
  const size = args.first ?? args.last;
  if (typeof size === 'number') return { field: 1, multiplier: Math.max(1, size) };
  if (Array.isArray(args.ids)) return { field: args.ids.length, multiplier: args.ids.length };
  if (PAGE_FIELDS.has(name) || !isList(type)) return WITHIN_PAGE;
  return { field: 1, multiplier: SHORT_LIST };
}

function isList(type: GraphQLOutputType): boolean {
  return isNonNullType(type) ? isList(type.ofType) : isListType(type);
}
