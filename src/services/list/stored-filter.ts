import type { ConversationFilter, DateTimeFilter } from './filter.ts';

/** The form in which filters are stored: that of the API, with ids and instants as clients write them. */
export const FILTER_VERSION = 2;

type Json = Record<string, unknown>;
type Step = (filter: Json) => Json;

/** What leads from each version to the next one. */
const steps: Record<number, Step> = {
  // Texts stood alone and were sought anywhere.
  1: (filter) => ({
    ...filter,
    ...Object.fromEntries(
      Object.entries(filter)
        .filter(([, value]) => typeof value === 'string')
        .map(([name, value]) => (TEXTS.has(name) ? [name, { match: 'CONTAINS', value }] : [name, value])),
    ),
  }),
};

const TEXTS = new Set(['anyColumn', 'participant', 'lastMessage', 'requestCode']);

/** A stored filter in the present form; null where a later release wrote it or it is no filter at all. */
export function migrateFilter(stored: unknown, version: number): Json | null {
  let filter = isJson(stored) && version >= 1 && version <= FILTER_VERSION ? stored : null;
  for (let at = version; filter && at < FILTER_VERSION; at++) {
    const step = steps[at];
    filter = step ? everywhere(filter, step) : null;
  }
  return filter;
}

function everywhere(filter: Json, step: Step): Json {
  const inner = (value: unknown) => (isJson(value) ? everywhere(value, step) : value);
  const { and, or, not, ...leaves } = filter;
  return {
    ...step(leaves),
    ...(Array.isArray(and) && { and: and.map(inner) }),
    ...(Array.isArray(or) && { or: or.map(inner) }),
    ...(not !== undefined && { not: inner(not) }),
  };
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a client sent, without what it left out or set to null: nulls say nothing in a filter. */
export function compactFilter(filter: object): Json {
  // JSON turns instants into their text and drops what is undefined.
  return JSON.parse(JSON.stringify(filter, (_key, value: unknown) => (value === null ? undefined : value))) as Json;
}

/** A stored filter of the present form as the list takes it: instants were text. Ids stay those of clients. */
export function reviveFilter(stored: Json): ConversationFilter {
  const revived = Object.entries(stored).map(([name, value]) => {
    if (Array.isArray(value) && (name === 'and' || name === 'or'))
      return [name, value.filter(isJson).map(reviveFilter)];
    if (name === 'not' && isJson(value)) return [name, reviveFilter(value)];
    return RANGES.has(name) && isJson(value) ? [name, reviveRange(value)] : [name, value];
  });
  // It was checked when it was stored, and every step of a migration keeps the form.
  return Object.fromEntries(revived) as ConversationFilter;
}

const RANGES = new Set(['lastMessageAt', 'createdAt', 'windowExpiresAt']);

function reviveRange(range: DateTimeFilter): DateTimeFilter {
  return { ...range, ...(range.gte && { gte: new Date(range.gte) }), ...(range.lt && { lt: new Date(range.lt) }) };
}
