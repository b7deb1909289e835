import { badInput } from '../errors.ts';
import { dayRange, type RelativeDay as RelativeDayName } from '../services/local-days.ts';
import { builder } from './builder.ts';

export const RelativeDay = builder.enumType('RelativeDay', {
  description:
    'Local days that move with the clock. Weeks begin on Monday; LAST_7_DAYS are today and the six days before it.',
  values: ['TODAY', 'YESTERDAY', 'THIS_WEEK', 'LAST_7_DAYS', 'LAST_30_DAYS', 'THIS_MONTH'] as const,
});

export type DateTimeFilter = {
  gte?: Date | null;
  lt?: Date | null;
  relative?: RelativeDayName | null;
  timeZone?: string | null;
};

export const DateTimeFilterInput = builder.inputRef<DateTimeFilter>('DateTimeFilterInput').implement({
  description: 'An absolute range or a relative day, not both. Ranges are half-open.',
  fields: (t) => ({
    gte: t.field({ type: 'DateTime' }),
    lt: t.field({ type: 'DateTime' }),
    relative: t.field({ type: RelativeDay }),
    timeZone: t.field({ type: 'TimeZone', description: "Of the relative day; else the list's zone." }),
  }),
});

/** The instants that a filter means now; refuses a range beside a relative day. */
export function toRange(
  { gte, lt, relative, timeZone }: DateTimeFilter,
  now: Date,
  defaultZone: string,
  path: string,
): { gte: Date | null; lt: Date | null } {
  if (relative && (gte || lt)) throw badInput(`${path}: give an absolute range or a relative day, not both.`, path);
  return relative ? dayRange(relative, now, timeZone ?? defaultZone) : { gte: gte ?? null, lt: lt ?? null };
}
