import type pg from 'pg';
import { all, type Condition } from '../condition.ts';
import { probeOnly, whereSql } from './conversation-where.ts';
import { Parameters } from './parameters.ts';
import { estimateOccurrences } from './text-occurrences.ts';

/** Who is in a list, exactly as of the event `seq`: one statement sees one moment. */
export type Members = { seq: number; ids: Set<string> };

/** Which of these conversations are in the list. */
export function findMembersAmong(pool: pg.Pool, ids: readonly string[], condition: Condition): Promise<Members> {
  const parameters = new Parameters();
  const among = `c.id = ANY(${parameters.add(ids)}::uuid[])`;
  return findMembers(pool, `${among} AND ${whereSql(condition, parameters, probeOnly)}`, parameters, ids.length);
}

/** The whole list, or null where it is longer than `max`. */
export async function findAllMembers(pool: pg.Pool, condition: Condition, max: number): Promise<Members | null> {
  const parameters = new Parameters();
  const where = whereSql(condition, parameters, await estimateOccurrences(pool, condition));
  const members = await findMembers(pool, where, parameters, max + 1);
  return members.ids.size > max ? null : members;
}

async function findMembers(pool: pg.Pool, where: string, parameters: Parameters, limit: number): Promise<Members> {
  const text = `SELECT h.seq, c.id FROM stream_head h
    LEFT JOIN LATERAL (SELECT c.id FROM conversation c WHERE ${where} LIMIT ${limit}) c ON true WHERE h.id = 1`;
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
  const occurrences = await estimateOccurrences(pool, all(before, after));
  const [was, is] = [before, after].map((condition) => whereSql(condition, parameters, occurrences));
  const text = `SELECT c.id, (${is}) AS "isMember" FROM conversation c WHERE (${was}) <> (${is})
    ORDER BY c.last_message_at DESC, c.id DESC LIMIT ${MAX_DIFFERENCES}`;
  return (await pool.query<{ id: string; isMember: boolean }>({ text, values: parameters.values })).rows;
}
