import type pg from 'pg';
import type { Condition } from '../condition.ts';
import { soughtTexts, type Occurrences, type SoughtText } from './conversation-where.ts';

/** Asks the planner how many rows have each pattern. A wrong guess costs time and never a row. */
export async function estimateOccurrences(pool: pg.Pool, condition: Condition): Promise<Occurrences> {
  const sought = [...new Map(soughtTexts(condition).map((text) => [keyOf(text), text])).values()];
  if (sought.length === 0) return () => 0;
  const selects = sought.map(({ table }, index) => `SELECT 1 FROM ${table} WHERE search_text LIKE $${index + 1}::text`);
  // Twice the first one, so that the answer has the same form for one pattern as for many.
  const explain = `EXPLAIN (FORMAT JSON) ${[...selects, selects[0]].join(' UNION ALL ')}`;
  const { rows } = await pool.query<{ 'QUERY PLAN': [{ Plan: { Plans: { 'Plan Rows': number }[] } }] }>(
    explain,
    sought.map(({ pattern }) => pattern),
  );
  const plans = rows[0]?.['QUERY PLAN'][0].Plan.Plans ?? [];
  const estimates = new Map(sought.map((text, index) => [keyOf(text), plans[index]?.['Plan Rows'] ?? 0]));
  return (text) => estimates.get(keyOf(text)) ?? 0;
}

function keyOf({ table, pattern }: SoughtText): string {
  return `${table} ${pattern}`;
}
