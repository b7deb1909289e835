import type { ConversationFilter } from './filter.ts';

/** The filters right inside a filter, with where they stand. */
export function childFilters(filter: ConversationFilter, path: string): { child: ConversationFilter; at: string }[] {
  const listed = (['and', 'or'] as const).flatMap((name) =>
    (filter[name] ?? []).map((child, index) => ({ child, at: `${path}.${name}.${index}` })),
  );
  return filter.not ? [...listed, { child: filter.not, at: `${path}.not` }] : listed;
}

/** Every filter in it, itself first. */
export function filtersIn(filter: ConversationFilter): ConversationFilter[] {
  return [filter, ...childFilters(filter, '').flatMap(({ child }) => filtersIn(child))];
}

/** The zones of relative days in it; null for those that leave it to the list. */
export function relativeZones(filter: ConversationFilter): (string | null)[] {
  return filtersIn(filter)
    .flatMap(({ lastMessageAt, createdAt, windowExpiresAt }) => [lastMessageAt, createdAt, windowExpiresAt])
    .flatMap((range) => (range?.relative ? (range.timeZone ?? null) : []));
}
