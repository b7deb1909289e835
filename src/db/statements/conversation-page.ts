import type pg from 'pg';
import type { Conversation } from '../../generated/prisma/client.ts';
import type { ConversationSortField, SortDirection } from '../../generated/prisma/enums.ts';
import type { Condition } from '../condition.ts';
import type { KeysetPosition, PageRequest } from '../keyset.ts';
import { modelColumns } from '../models.ts';
import { whereSql } from './conversation-where.ts';
import { estimateLookups } from './message-lookup.ts';
import { Parameters } from './parameters.ts';
import { statementName } from './statement-name.ts';

export type ConversationOrder = { field: ConversationSortField; direction: SortDirection };

// Where the value may be missing, the index is on COALESCE: a keyset over NULL would end there. What does not wait, or
// never had a window, stands at the end of ascending order.
const keys: Record<
  ConversationSortField,
  { sql: string; type: string; of: (row: Conversation) => Date | number | null }
> = {
  NUMBER: { sql: 'c.number', type: 'integer', of: (row) => row.number },
  LAST_MESSAGE_AT: { sql: 'c.last_message_at', type: 'timestamptz', of: (row) => row.lastMessageAt },
  CREATED_AT: { sql: 'c.created_at', type: 'timestamptz', of: (row) => row.createdAt },
  AWAITING_SINCE: {
    sql: `COALESCE(c.beacon_since, 'infinity')`,
    type: 'timestamptz',
    of: (row) => row.beaconSince,
  },
  WINDOW_EXPIRES_AT: {
    sql: `COALESCE(c.window_expires_at, 'infinity')`,
    type: 'timestamptz',
    of: (row) => row.windowExpiresAt,
  },
};

/** The sort values of a row: what its cursor carries. */
export function positionOf(row: Conversation, { field }: ConversationOrder): KeysetPosition {
  const value = keys[field].of(row);
  return [value instanceof Date ? value.toISOString() : value, row.id];
}

/**
 * A page of the table. The row carries what the table shows, so one table and one index serve it: 0.35 ms of
 * PostgreSQL's time where the same through joins took 0.9, and 170 at depth with an OR of conditions.
 */
export async function findConversationPage(
  pool: pg.Pool,
  page: PageRequest,
  order: ConversationOrder,
  condition: Condition,
): Promise<Conversation[]> {
  const parameters = new Parameters();
  const lookup = await estimateLookups(pool, condition);
  const where = [whereSql(condition, parameters, lookup)];
  // With values of a client PostgreSQL plans better when it sees them.
  const isFixed = parameters.values.length === 0;
  const { sql, type } = keys[order.field];
  const isDescending = (order.direction === 'DESC') === page.forward;
  if (page.position) {
    const [value, id] = page.position;
    const after = `(${parameters.add(value ?? 'infinity')}::${type}, ${parameters.add(id)}::uuid)`;
    where.push(`(${sql}, c.id) ${isDescending ? '<' : '>'} ${after}`);
  }
  const direction = isDescending ? 'DESC' : 'ASC';
  const text = `SELECT ${modelColumns('Conversation', 'c')} FROM conversation c WHERE ${where.join(' AND ')}
    ORDER BY ${sql} ${direction}, c.id ${direction} LIMIT ${page.size + 1}`;
  const name = isFixed ? statementName(text) : undefined;
  return (await pool.query<Conversation>({ name, text, values: parameters.values })).rows;
}

/** How many conversations each of several lists holds, in one statement. */
export async function countLists(pool: pg.Pool, conditions: readonly Condition[]): Promise<number[]> {
  const parameters = new Parameters();
  const counts = conditions.map(
    (condition, index) =>
      `(SELECT count(*) FROM conversation c WHERE ${whereSql(condition, parameters, () => 'collect')}) AS "${index}"`,
  );
  const { rows } = await pool.query<Record<string, number>>({
    text: `SELECT ${counts.join(', ')}`,
    values: parameters.values,
  });
  return conditions.map((_, index) => rows[0]?.[index] ?? 0);
}

export async function countConversations(pool: pg.Pool, condition: Condition): Promise<number> {
  const [count] = await countLists(pool, [condition]);
  return count ?? 0;
}
