import type { RequestLinkRole } from '../../generated/prisma/enums.ts';
import type { Statement, Transaction } from '../transaction.ts';

const statement = (name: string, text: string): Statement => ({ name, text });

const addTags = statement(
  'add-request-tags',
  `INSERT INTO request_tag (request_id, tag_id) SELECT $1, tag_id FROM unnest($2::uuid[]) AS n (tag_id)
   ON CONFLICT DO NOTHING RETURNING tag_id`,
);
const removeTags = statement(
  'remove-request-tags',
  'DELETE FROM request_tag WHERE request_id = $1 AND tag_id = ANY($2::uuid[]) RETURNING tag_id',
);
const addFiles = statement(
  'add-request-files',
  `INSERT INTO request_attachment (request_id, attachment_id, added_at)
   SELECT $1, n.id, $3 FROM unnest($2::uuid[]) AS n (id)
   ON CONFLICT DO NOTHING RETURNING attachment_id`,
);
const removeFiles = statement(
  'remove-request-files',
  'DELETE FROM request_attachment WHERE request_id = $1 AND attachment_id = ANY($2::uuid[]) RETURNING attachment_id',
);
const addLink = statement(
  'add-request-link',
  `INSERT INTO message_request_link (message_id, request_id, role, linked_by_id, linked_at)
   VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING message_id`,
);
const linkRole = statement(
  'find-request-link',
  'SELECT role FROM message_request_link WHERE message_id = $1 AND request_id = $2',
);
const removeLink = statement(
  'remove-request-link',
  'DELETE FROM message_request_link WHERE message_id = $1 AND request_id = $2 RETURNING message_id',
);
const addPost = statement(
  'add-discussion-post',
  `INSERT INTO discussion_post (id, request_id, kind, author_id, author_name, body, created_at)
   VALUES ($1, $2, $3, $4, $5, $6, $7)`,
);
const addPostFiles = statement(
  'add-discussion-files',
  `INSERT INTO discussion_attachment (post_id, attachment_id) SELECT $1, id FROM unnest($2::uuid[]) AS n (id)`,
);

const keepFiles = statement(
  'keep-files',
  'UPDATE attachment SET expires_at = NULL WHERE id = ANY($1::uuid[]) AND message_id IS NULL AND expires_at IS NOT NULL',
);

/** Each gives back how many rows it really changed: none for a repeat. */
export async function addRequestTagRows(tx: Transaction, requestId: string, tagIds: string[]): Promise<number> {
  return (await tx.query(addTags, [requestId, tagIds])).length;
}

export async function removeRequestTagRows(tx: Transaction, requestId: string, tagIds: string[]): Promise<number> {
  return (await tx.query(removeTags, [requestId, tagIds])).length;
}

export async function addRequestFileRows(tx: Transaction, requestId: string, ids: string[]): Promise<number> {
  await keepUploads(tx, ids);
  return (await tx.query(addFiles, [requestId, ids, tx.now])).length;
}

export async function removeRequestFileRows(tx: Transaction, requestId: string, ids: string[]): Promise<number> {
  return (await tx.query(removeFiles, [requestId, ids])).length;
}

export async function addLinkRow(
  tx: Transaction,
  link: { messageId: string; requestId: string; role: RequestLinkRole; linkedById: string | null },
): Promise<number> {
  return (await tx.query(addLink, [link.messageId, link.requestId, link.role, link.linkedById, tx.now])).length;
}

export async function findLinkRole(
  tx: Transaction,
  link: { messageId: string; requestId: string },
): Promise<RequestLinkRole | undefined> {
  return (await tx.query<{ role: RequestLinkRole }>(linkRole, [link.messageId, link.requestId]))[0]?.role;
}

export async function removeLinkRow(tx: Transaction, link: { messageId: string; requestId: string }): Promise<number> {
  return (await tx.query(removeLink, [link.messageId, link.requestId])).length;
}

export type NewPost = {
  id: string;
  requestId: string;
  kind: string;
  authorId: string | null;
  authorName: string | null;
  body: string;
  createdAt: Date;
};

export async function addPostRow(tx: Transaction, post: NewPost, attachmentIds: string[]): Promise<void> {
  const { id, requestId, kind, authorId, authorName, body, createdAt } = post;
  await tx.query(addPost, [id, requestId, kind, authorId, authorName, body, createdAt]);
  if (attachmentIds.length === 0) return;
  await keepUploads(tx, attachmentIds);
  await tx.query(addPostFiles, [id, attachmentIds]);
}

/** An upload that nobody used is thrown away after a while: this one is used. */
async function keepUploads(tx: Transaction, ids: string[]): Promise<void> {
  await tx.query(keepFiles, [ids]);
}
