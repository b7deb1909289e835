import type pg from 'pg';
import { all, type Condition } from '../condition.ts';
import {
  countRows,
  foundSql,
  isPlain,
  plainPart,
  rowsSql,
  sourcesOf,
  type RowsOf,
  type Source,
} from './conversation-sources.ts';
import { probeMessages, readsMessages, whereSql, type HasMessage } from './conversation-where.ts';
import { Parameters } from './parameters.ts';

/**
 * How the conversations of a list are found: by looking at each, in order, or by collecting what the indexes of
 * customers and messages lead to. A trigram index on the conversation itself would have to be written anew with every
 * message, which took more time than all the rest of storing one.
 */
export type Search =
  | { by: 'looking' }
  | {
      by: 'collecting';
      sources: readonly Source[];
      /** Patterns that few enough messages match to know their conversations beforehand. */
      collected: ReadonlySet<string>;
      /** So many conversations are looked at first: a page of what is common is full before. */
      lookFirst: number;
    };

export const looking: Search = { by: 'looking' };

// Microseconds, at 200,000 conversations as at a million.
const COLLECT_US = 2;
const LOOK_US = 1;
const LOOK_AT_MESSAGES_US = 15;

/** Not worth a statement that looks first. */
const SHORT_US = 6_000;
/** PostgreSQL keeps a hash of about as many in its working memory. */
const MAX_HASHED = 100_000;

/** Chooses the way by the planner's guesses. A wrong guess costs time and never a row. */
export async function planSearch(pool: pg.Pool, condition: Condition): Promise<Search> {
  const [search = looking] = await planSearches(pool, [condition]);
  return search;
}

export async function planSearches(pool: pg.Pool, conditions: readonly Condition[]): Promise<Search[]> {
  if (conditions.every(isPlain)) return conditions.map(() => looking);
  const rowsOf = await estimateRows(pool, soughtSources(conditions));
  return conditions.map((condition) => (isPlain(condition) ? looking : chooseSearch(condition, rowsOf)));
}

/** Looks at first for half the time that collecting takes, so that nothing takes much longer than collecting. */
export function chooseSearch(condition: Condition, rowsOf: RowsOf): Search {
  const everyone = rowsOf(conversations(all()));
  const share = condition.is === 'all' ? rowsOf(conversations(plainPart(condition))) / everyone : 1;
  const lookUs = LOOK_US + (readsMessages(condition) ? LOOK_AT_MESSAGES_US * share : 0);
  const sources = sourcesOf(condition, rowsOf);
  if (!sources) return looking;
  const rows = countRows(sources, rowsOf);
  const patterns = patternsOf(condition);
  const worthCollecting = Math.min(MAX_HASHED, (rows * LOOK_AT_MESSAGES_US) / COLLECT_US);
  const collected = patterns.filter((pattern) => rowsOf({ of: 'message', pattern }) <= worthCollecting);
  const collectUs = rows * (COLLECT_US + (collected.length < patterns.length ? LOOK_AT_MESSAGES_US : 0));
  if (collectUs > everyone * lookUs) return looking;
  const lookFirst = collectUs <= SHORT_US ? 0 : Math.floor(collectUs / 2 / lookUs);
  return { by: 'collecting', sources, collected: new Set(collected), lookFirst };
}

function conversations(condition: Condition): Source {
  return { of: 'conversation', conditions: [condition] };
}

/** Everything whose number of rows decides. */
function soughtSources(conditions: readonly Condition[]): Map<string, Source> {
  const sought = new Map<string, Source>();
  for (const condition of conditions) {
    chooseSearch(condition, (source) => {
      sought.set(JSON.stringify(source), source);
      return 0;
    });
  }
  return sought;
}

/** What the planner guesses moves with its statistics, which are made anew every few minutes at most. */
const GUESSES_MS = 60_000;
const MAX_GUESSES = 5_000;
type Guesses = { since: number; rows: Map<string, number> };
const guessesOf = new WeakMap<pg.Pool, Guesses>();

/** Asks the planner, for each source once in a while: whoever searches pages on, counts, and searches again. */
async function estimateRows(pool: pg.Pool, sought: ReadonlyMap<string, Source>): Promise<RowsOf> {
  const known = presentGuesses(pool);
  const unknown = [...sought].filter(([key]) => !known.has(key));
  if (unknown.length > 0) {
    const rows = await askPlanner(
      pool,
      unknown.map(([, source]) => source),
    );
    for (const [index, [key]] of unknown.entries()) known.set(key, rows[index] ?? Infinity);
  }
  return (source) => known.get(JSON.stringify(source)) ?? Infinity;
}

function presentGuesses(pool: pg.Pool): Map<string, number> {
  const held = guessesOf.get(pool);
  const now = performance.now();
  if (held && now - held.since < GUESSES_MS && held.rows.size < MAX_GUESSES) return held.rows;
  const rows = new Map<string, number>();
  guessesOf.set(pool, { since: now, rows });
  return rows;
}

async function askPlanner(pool: pg.Pool, sources: readonly Source[]): Promise<number[]> {
  const parameters = new Parameters();
  const selects = sources.map((source) => `ARRAY(SELECT ${rowsSql(source, parameters)})`);
  const { rows } = await pool.query<{ 'QUERY PLAN': [{ Plan: { Plans: { 'Plan Rows': number }[] } }] }>(
    `EXPLAIN (FORMAT JSON) SELECT ${selects.join(', ')}`,
    parameters.values,
  );
  return rows[0]?.['QUERY PLAN'][0].Plan.Plans.map((plan) => plan['Plan Rows']) ?? [];
}

function patternsOf(condition: Condition): string[] {
  if (condition.is === 'not') return patternsOf(condition.of);
  if (condition.is === 'all' || condition.is === 'any') return condition.of.flatMap(patternsOf);
  return condition.is === 'message-like' ? [condition.pattern] : [];
}

/** What stands before SELECT, after FROM and after WHERE, for the conversations of the condition as `c`. */
export type SearchSql = { withs: string; from: string; where: string };

export function searchSql(search: Search, condition: Condition, parameters: Parameters): SearchSql {
  if (search.by === 'looking') return { withs: '', from: 'conversation c', where: whereSql(condition, parameters) };
  const { sources, collected } = search;
  const names = new Map<string, string>();
  const nameOf = (pattern: string) => names.get(pattern) ?? names.set(pattern, `m${names.size}`).get(pattern);
  const probe = probeMessages(parameters);
  const has: HasMessage = (pattern) =>
    collected.has(pattern) ? `c.id IN (SELECT id FROM ${nameOf(pattern)})` : probe(pattern);
  const where = whereSql(condition, parameters, has);
  const found = foundSql(sources, parameters, (pattern) =>
    collected.has(pattern) ? `id FROM ${nameOf(pattern)}` : undefined,
  );
  const withs = [...names].map(
    ([pattern, name]) => `${name} AS MATERIALIZED (SELECT ${rowsSql({ of: 'message', pattern }, parameters)})`,
  );
  return {
    withs: withs.length > 0 ? `WITH ${withs.join(', ')}` : '',
    // OFFSET 0 keeps PostgreSQL from looking at each conversation in order after all.
    from: `(SELECT c.* FROM conversation c WHERE ${found} OFFSET 0) c`,
    where,
  };
}
