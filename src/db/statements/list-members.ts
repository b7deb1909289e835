import type pg from 'pg';
import { any, type Condition } from '../condition.ts';
import { looking, planSearch, searchSql, type SearchSql } from './conversation-search.ts';
import { whereSql } from './conversation-where.ts';
import { Parameters } from './parameters.ts';

/** Who is in a list, exactly as of the event `seq`: one statement sees one moment. */
export type Members = { seq: number; ids: Set<string> };

/** Which of these conversations are in the list. */
export function findMembersAmong(pool: pg.Pool, ids: readonly string[], condition: Condition): Promise<Members> {
  const parameters = new Parameters();
  const among = `c.id = ANY(${parameters.add(ids)}::uuid[])`;
  const { where, ...found } = searchSql(looking, condition, parameters);
  return findMembers(pool, { ...found, where: `${among} AND ${where}` }, parameters, ids.length);
}

/** The whole list, or null where it is longer than `max`. */
export async function findAllMembers(pool: pg.Pool, condition: Condition, max: number): Promise<Members | null> {
  const parameters = new Parameters();
  const found = searchSql(await planSearch(pool, condition), condition, parameters);
  const members = await findMembers(pool, found, parameters, max + 1);
  return members.ids.size > max ? null : members;
}

async function findMembers(
  pool: pg.Pool,
  { withs, from, where }: SearchSql,
  parameters: Parameters,
  limit: number,
): Promise<Members> {
  const text = `SELECT h.seq, c.id FROM stream_head h
    LEFT JOIN LATERAL (${withs} SELECT c.id FROM ${from} WHERE ${where} LIMIT ${limit}) c ON true WHERE h.id = 1`;
  const { rows } = await pool.query<{ seq: number; id: string | null }>({ text, values: parameters.values });
  return { seq: rows[0]?.seq ?? 0, ids: new Set(rows.flatMap(({ id }) => id ?? [])) };
}

const MAX_DIFFERENCES = 10_000;

/** Conversations that are in one list and not in the other, with whether they are in the second one. */
export async function findDifferences(
  pool: pg.Pool,
  before: Condition,
  after: Condition,
): Promise<{ id: string; isMember: boolean }[]> {
  const parameters = new Parameters();
  const either = any(before, after);
  const { withs, from, where } = searchSql(await planSearch(pool, either), either, parameters);
  const [was, is] = [before, after].map((condition) => whereSql(condition, parameters));
  const text = `${withs} SELECT c.id, (${is}) AS "isMember" FROM ${from} WHERE ${where} AND (${was}) <> (${is})
    ORDER BY c.last_message_at DESC, c.id DESC LIMIT ${MAX_DIFFERENCES}`;
  return (await pool.query<{ id: string; isMember: boolean }>({ text, values: parameters.values })).rows;
}
