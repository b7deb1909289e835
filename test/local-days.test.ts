import { describe, expect, it, vi } from 'vitest';
import { dayOf, dayRange, localDate, startOfDay, type RelativeDay } from '../src/services/local-days.ts';

const prague = 'Europe/Prague';
const hours = ({ gte, lt }: { gte: Date; lt: Date }) => (lt.getTime() - gte.getTime()) / 3_600_000;

describe('a local day', () => {
  it.each([
    ['an ordinary day', prague, '2026-11-25T12:00:00Z', '2026-11-24T23:00:00.000Z', 24],
    ['the day on which clocks go forward', prague, '2026-03-29T12:00:00Z', '2026-03-28T23:00:00.000Z', 23],
    ['the day on which clocks go back', prague, '2026-10-25T12:00:00Z', '2026-10-24T22:00:00.000Z', 25],
    ['a day that begins at one o’clock', 'Africa/Cairo', '2026-04-24T12:00:00Z', '2026-04-23T22:00:00.000Z', 23],
    ['a zone of half hours', 'Asia/Kolkata', '2026-01-01T00:00:00Z', '2025-12-31T18:30:00.000Z', 24],
    ['the zone that is furthest ahead', 'Pacific/Kiritimati', '2026-01-01T00:00:00Z', '2025-12-31T10:00:00.000Z', 24],
    ['the zone that is furthest behind', 'Etc/GMT+12', '2026-01-01T00:00:00Z', '2025-12-31T12:00:00.000Z', 24],
  ])('%s is half-open and as long as it is', (_fact, zone, at, from, length) => {
    const day = dayOf(new Date(at), zone);

    expect(day.gte.toISOString()).toBe(from);
    expect(hours(day)).toBe(length);
  });

  it.each([
    ['2026-03-29T21:59:59.999Z', '2026-03-29'],
    ['2026-03-29T22:00:00.000Z', '2026-03-30'],
    ['2026-10-25T22:59:59.999Z', '2026-10-25'],
    ['2026-10-25T23:00:00.000Z', '2026-10-26'],
  ])('at %s clocks in Prague show %s', (at, date) => {
    expect(localDate(new Date(at), prague)).toBe(date);
    expect(startOfDay(date, prague).getTime()).toBeLessThanOrEqual(Date.parse(at));
  });
});

it('keeps one format for a zone, however it is spelled', () => {
  const at = new Date('2026-11-25T12:00:00Z');
  localDate(at, prague);
  const made = vi.spyOn(Intl, 'DateTimeFormat');

  const dates = ['EUROPE/PRAGUE', 'europe/prague', 'eUROPE/pRAGUE'].map((zone) => localDate(at, zone));

  expect(dates).toEqual(['2026-11-25', '2026-11-25', '2026-11-25']);
  expect(made).not.toHaveBeenCalled();
  made.mockRestore();
});

describe('relative days', () => {
  // A Wednesday.
  const now = new Date('2026-10-28T12:00:00Z');

  it.each<[RelativeDay, string, string]>([
    ['TODAY', '2026-10-27T23:00:00.000Z', '2026-10-28T23:00:00.000Z'],
    ['YESTERDAY', '2026-10-26T23:00:00.000Z', '2026-10-27T23:00:00.000Z'],
    ['THIS_WEEK', '2026-10-25T23:00:00.000Z', '2026-11-01T23:00:00.000Z'],
    ['LAST_7_DAYS', '2026-10-21T22:00:00.000Z', '2026-10-28T23:00:00.000Z'],
    ['LAST_30_DAYS', '2026-09-28T22:00:00.000Z', '2026-10-28T23:00:00.000Z'],
    ['THIS_MONTH', '2026-09-30T22:00:00.000Z', '2026-10-31T23:00:00.000Z'],
  ])('%s over the change of clocks', (relative, from, to) => {
    const { gte, lt } = dayRange(relative, now, prague);

    expect([gte.toISOString(), lt.toISOString()]).toEqual([from, to]);
  });

  it.each(['2024-02-29', '2026-12-31', '2026-01-31'])('THIS_MONTH of %s ends with its month', (date) => {
    const { gte, lt } = dayRange('THIS_MONTH', new Date(`${date}T12:00:00Z`), 'UTC');

    expect(gte.toISOString().slice(0, 10)).toBe(`${date.slice(0, 7)}-01`);
    expect(lt.getUTCDate()).toBe(1);
    expect(hours({ gte, lt })).toBeLessThanOrEqual(31 * 24);
  });
});
