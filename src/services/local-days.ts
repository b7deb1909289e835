export type RelativeDay = 'TODAY' | 'YESTERDAY' | 'THIS_WEEK' | 'LAST_7_DAYS' | 'LAST_30_DAYS' | 'THIS_MONTH';

/** Half-open range of instants. */
export type Range = { gte: Date; lt: Date };

/** A calendar date without a zone, as YYYY-MM-DD. */
export type LocalDate = string;

const DAY_MS = 86_400_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** The date that a clock in this zone shows. */
export function localDate(at: Date, timeZone: string): LocalDate {
  // A zone may be spelled in any case: each spelling kept would take 27 kB for good.
  const zone = timeZone.toLowerCase();
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
    formats.set(zone, format);
  }
  return format.format(at);
}

/**
 * The first instant of a local day. A day has 23 or 25 hours where clocks change, and does not begin at midnight where
 * they change at midnight, so it is sought instead of computed.
 */
export function startOfDay(date: LocalDate, timeZone: string): Date {
  const utc = Date.parse(`${date}T00:00:00Z`);
  // No zone is further than 14 hours from UTC.
  let before = utc - 15 * 3_600_000;
  let inside = utc + 15 * 3_600_000;
  while (inside - before > 1) {
    const middle = Math.floor((before + inside) / 2);
    if (localDate(new Date(middle), timeZone) < date) before = middle;
    else inside = middle;
  }
  return new Date(inside);
}

export function addDays(date: LocalDate, days: number): LocalDate {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** The local day in which `at` lies. */
export function dayOf(at: Date, timeZone: string): Range & { date: LocalDate } {
  const date = localDate(at, timeZone);
  return { date, gte: startOfDay(date, timeZone), lt: startOfDay(addDays(date, 1), timeZone) };
}

/** Weeks begin on Monday; "last 7 days" are today and the six days before it. */
export function dayRange(relative: RelativeDay, now: Date, timeZone: string): Range {
  const today = localDate(now, timeZone);
  const [first, next] = relativeDates(relative, today);
  return { gte: startOfDay(first, timeZone), lt: startOfDay(next, timeZone) };
}

function relativeDates(relative: RelativeDay, today: LocalDate): [first: LocalDate, next: LocalDate] {
  const tomorrow = addDays(today, 1);
  switch (relative) {
    case 'TODAY':
      return [today, tomorrow];
    case 'YESTERDAY':
      return [addDays(today, -1), today];
    case 'THIS_WEEK': {
      const monday = addDays(today, -((new Date(`${today}T00:00:00Z`).getUTCDay() + 6) % 7));
      return [monday, addDays(monday, 7)];
    }
    case 'LAST_7_DAYS':
      return [addDays(today, -6), tomorrow];
    case 'LAST_30_DAYS':
      return [addDays(today, -29), tomorrow];
    case 'THIS_MONTH':
      return [`${today.slice(0, 7)}-01`, `${addDays(`${today.slice(0, 7)}-28`, 7).slice(0, 7)}-01`];
  }
}
