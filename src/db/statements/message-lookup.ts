import type pg from 'pg';
import type { Condition } from '../condition.ts';
import type { MessageLookup } from './conversation-where.ts';

// Collecting takes about 2 us a message, probing 15 us for each conversation on the way to a full page: at 200,000
// conversations and at a million they cross between 9,000 and 20,000 messages.
const MAX_COLLECTED = 10_000;

/** Asks the planner how many messages have each pattern. A wrong guess costs time and never a row. */
export async function estimateLookups(pool: pg.Pool, condition: Condition): Promise<MessageLookup> {
  const patterns = [...new Set(messagePatterns(condition))];
  if (patterns.length === 0) return () => 'probe';
  const selects = patterns.map((_, index) => `SELECT 1 FROM message WHERE search_text LIKE $${index + 1}::text`);
  // Twice the first one, so that the answer has the same form for one pattern as for many.
  const text = `EXPLAIN (FORMAT JSON) ${[...selects, selects[0]].join(' UNION ALL ')}`;
  const { rows } = await pool.query<{ 'QUERY PLAN': [{ Plan: { Plans: { 'Plan Rows': number }[] } }] }>(text, patterns);
  const plans = rows[0]?.['QUERY PLAN'][0].Plan.Plans ?? [];
  const estimates = new Map(patterns.map((pattern, index) => [pattern, plans[index]?.['Plan Rows'] ?? 0]));
  return (pattern) => ((estimates.get(pattern) ?? 0) > MAX_COLLECTED ? 'probe' : 'collect');
}

function messagePatterns(condition: Condition): string[] {
  if (condition.is === 'message-like') return [condition.pattern];
  if (condition.is === 'not') return messagePatterns(condition.of);
  return condition.is === 'all' || condition.is === 'any' ? condition.of.flatMap(messagePatterns) : [];
}
