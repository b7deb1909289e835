import type pg from 'pg';
import type { DiscussionPost, Message } from '../../generated/prisma/client.ts';
import type { PageRequest } from '../keyset.ts';
import { modelColumns } from '../models.ts';
import { Parameters } from './parameters.ts';
import { statementName } from './statement-name.ts';

type OfRequest<Row> = Row & { requestId: string };

/** The same page of the messages of each request, in one statement. */
export async function findLinkedMessagePages(
  pool: pg.Pool,
  requestIds: readonly string[],
  page: PageRequest,
): Promise<OfRequest<Message>[]> {
  const parameters = new Parameters();
  const ids = parameters.add(requestIds);
  const [direction, compare] = page.forward ? ['ASC', '>'] : ['DESC', '<'];
  const [second, sequence] = page.position ?? [];
  const after = page.position
    ? `AND (m.sent_second, m.sequence) ${compare} (${parameters.add(second)}::timestamptz, ${parameters.add(sequence)}::integer)`
    : '';
  const text = `SELECT k.id AS "requestId", m.* FROM unnest(${ids}::uuid[]) AS k (id) CROSS JOIN LATERAL (
      SELECT ${modelColumns('Message', 'm')} FROM message_request_link l JOIN message m ON m.id = l.message_id
      WHERE l.request_id = k.id ${after}
      ORDER BY m.sent_second ${direction}, m.sequence ${direction} LIMIT ${page.size + 1}) m`;
  const named = { name: statementName(text), text, values: parameters.values };
  return (await pool.query<OfRequest<Message>>(named)).rows;
}

/** The same page of the discussion of each request, in one statement; without internal notes for those who see none. */
export async function findDiscussionPages(
  pool: pg.Pool,
  requestIds: readonly string[],
  page: PageRequest,
  { withNotes }: { withNotes: boolean },
): Promise<DiscussionPost[]> {
  const parameters = new Parameters();
  const ids = parameters.add(requestIds);
  const [direction, compare] = page.forward ? ['ASC', '>'] : ['DESC', '<'];
  const [createdAt, id] = page.position ?? [];
  const after = page.position
    ? `AND (p.created_at, p.id) ${compare} (${parameters.add(createdAt)}::timestamptz, ${parameters.add(id)}::uuid)`
    : '';
  const seen = withNotes ? '' : `AND p.kind = 'PUBLIC_POST'`;
  const text = `SELECT p.* FROM unnest(${ids}::uuid[]) AS k (id) CROSS JOIN LATERAL (
      SELECT ${modelColumns('DiscussionPost', 'p')} FROM discussion_post p WHERE p.request_id = k.id ${seen} ${after}
      ORDER BY p.created_at ${direction}, p.id ${direction} LIMIT ${page.size + 1}) p`;
  const named = { name: statementName(text), text, values: parameters.values };
  return (await pool.query<DiscussionPost>(named)).rows;
}
