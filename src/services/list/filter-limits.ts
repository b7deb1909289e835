import { foldLine } from '../search-text.ts';
import { isLongerThan } from '../text-length.ts';
import { childFilters, filtersIn } from './filter-tree.ts';
import type { ConversationFilter, DateTimeFilter, IntFilter, StringFilter } from './filter.ts';

export const MAX_FILTER_DEPTH = 5;
export const MAX_FILTER_LEAVES = 50;
const MAX_VALUES = 200;
const MAX_TEXT = 200;

/** What is wrong with a filter, and where it stands in the argument. */
export type FilterProblem = { path: string; message: string };

/** The first problem of a filter as a client sent it, or null. */
export function filterProblem(filter: ConversationFilter, path = 'filter'): FilterProblem | null {
  return depthProblem(filter, path, 1) ?? leavesProblem(filter, path) ?? valueProblem(filter, path);
}

function depthProblem(filter: ConversationFilter, path: string, depth: number): FilterProblem | null {
  if (depth > MAX_FILTER_DEPTH) return { path, message: `A filter has at most ${MAX_FILTER_DEPTH} levels.` };
  return firstOf(childFilters(filter, path), ({ child, at }) => depthProblem(child, at, depth + 1));
}

function leavesProblem(filter: ConversationFilter, path: string): FilterProblem | null {
  if (countLeaves(filter) <= MAX_FILTER_LEAVES) return null;
  return { path, message: `A filter has at most ${MAX_FILTER_LEAVES} conditions.` };
}

/** An empty filter counts, too: it costs as much to look at. */
function countLeaves(filter: ConversationFilter): number {
  const counts = filtersIn(filter).map((each) => {
    const { and: _and, or: _or, not: _not, ...leaves } = each;
    const own = Object.values(leaves).filter((value) => value != null).length;
    return own === 0 && childFilters(each, '').length === 0 ? 1 : own;
  });
  return counts.reduce((sum, count) => sum + count, 0);
}

function valueProblem(filter: ConversationFilter, path: string): FilterProblem | null {
  return (
    firstOf(Object.entries(filter), ([name, value]) =>
      name === 'and' || name === 'or' || name === 'not' ? null : leafProblem(value, `${path}.${name}`),
    ) ?? firstOf(childFilters(filter, path), ({ child, at }) => valueProblem(child, at))
  );
}

type Leaf = StringFilter | IntFilter | DateTimeFilter | readonly string[] | string | boolean | null | undefined;

/** The kinds of leaves differ in their fields, so the fields tell what is held against which limit. */
function leafProblem(leaf: ConversationFilter[keyof ConversationFilter], path: string): FilterProblem | null {
  // What is not a group of filters is a leaf.
  const value = leaf as Leaf;
  if (value == null || typeof value !== 'object') return null;
  if ('length' in value) return listProblem(value, path);
  if ('value' in value) return textProblem(value.value, `${path}.value`);
  if ('relative' in value && value.relative != null && (value.gte != null || value.lt != null))
    return { path, message: 'Give an absolute range or a relative day, not both.' };
  return 'in' in value && value.in ? listProblem(value.in, `${path}.in`) : null;
}

function listProblem(values: readonly unknown[], path: string): FilterProblem | null {
  return values.length <= MAX_VALUES ? null : { path, message: `At most ${MAX_VALUES} values.` };
}

function textProblem(text: string, path: string): FilterProblem | null {
  if (isLongerThan(text, MAX_TEXT)) return { path, message: `At most ${MAX_TEXT} characters.` };
  return foldLine(text) === '' ? { path, message: 'Give a text that is not empty.' } : null;
}

function firstOf<T>(items: readonly T[], problemOf: (item: T) => FilterProblem | null): FilterProblem | null {
  for (const item of items) {
    const problem = problemOf(item);
    if (problem) return problem;
  }
  return null;
}
