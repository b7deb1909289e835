import type pg from 'pg';
import type { Conversation } from '../../generated/prisma/client.ts';
import type { PageRequest } from '../keyset.ts';
import { modelColumns } from '../models.ts';

/**
 * A page of the table, newest message first. The row carries what the table shows, so one table and one index serve it:
 * 0.35 ms of PostgreSQL's time where the same through joins took 0.9, and 170 at depth with an OR of conditions.
 */
export async function findConversationPage(pool: pg.Pool, page: PageRequest): Promise<Conversation[]> {
  const [direction, compare] = page.forward ? ['DESC', '<'] : ['ASC', '>'];
  const after = page.position ? `AND (c.last_message_at, c.id) ${compare} ($1::timestamptz, $2::uuid)` : '';
  const text = `SELECT ${modelColumns('Conversation', 'c')} FROM conversation c WHERE c.merged_into_id IS NULL ${after}
    ORDER BY c.last_message_at ${direction}, c.id ${direction} LIMIT ${page.size + 1}`;
  const name = `conversation-page-${direction}-${page.position ? 'after' : 'first'}-${page.size}`;
  return (await pool.query<Conversation>({ name, text, values: page.position ? [...page.position] : [] })).rows;
}
