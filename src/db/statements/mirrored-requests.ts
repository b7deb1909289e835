import type { Statement, Transaction } from '../transaction.ts';

const place: Statement = {
  name: 'find-request-place',
  text: 'SELECT id, conversation_id AS "conversationId" FROM request WHERE id = $1',
};

const codeTaken: Statement = {
  name: 'find-request-by-code',
  text: 'SELECT id FROM request WHERE code = $1 AND id <> $2',
};

const own: Statement = {
  name: 'own-request',
  text: 'UPDATE request SET external_id = $2 WHERE id = $1 AND external_id IS NULL',
};

const known: Statement = {
  name: 'know-request-revision',
  text: 'UPDATE request SET mirrored_revision = revision WHERE id = $1 AND mirrored_revision = $2',
};

const replaceTags: Statement = {
  name: 'replace-request-tags',
  text: `WITH gone AS (DELETE FROM request_tag WHERE request_id = $1 AND tag_id <> ALL($2::uuid[]) RETURNING tag_id),
    come AS (INSERT INTO request_tag (request_id, tag_id) SELECT $1, t FROM unnest($2::uuid[]) AS t ON CONFLICT DO NOTHING RETURNING tag_id)
    SELECT tag_id FROM gone UNION ALL SELECT tag_id FROM come`,
};

const addPost: Statement = {
  name: 'add-mirrored-post',
  text: `INSERT INTO discussion_post (id, external_id, request_id, kind, author_name, body, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (external_id) DO UPDATE SET body = excluded.body, edited_at = $8
      WHERE discussion_post.request_id = excluded.request_id AND discussion_post.body <> excluded.body
    RETURNING id`,
};

/** Where a request belongs, without locking it: conversations are locked before requests. */
export async function findRequestPlace(
  tx: Transaction,
  id: string,
): Promise<{ id: string; conversationId: string | null } | undefined> {
  return (await tx.query<{ id: string; conversationId: string | null }>(place, [id]))[0];
}

export async function isCodeTaken(tx: Transaction, code: string, byOtherThan: string): Promise<boolean> {
  return (await tx.query(codeTaken, [code, byOtherThan])).length > 0;
}

/** The id that CDESK gave is kept once and for all. */
export async function keepExternalId(tx: Transaction, id: string, externalId: string): Promise<void> {
  await tx.query(own, [id, externalId]);
}

/** What CDESK told need not be told to it again, unless something else is still on its way there. */
export async function noteKnown(tx: Transaction, id: string, revisionBefore: number): Promise<void> {
  await tx.query(known, [id, revisionBefore]);
}

/** Gives back how many tags came or went. */
export async function replaceRequestTags(tx: Transaction, id: string, tagIds: string[]): Promise<number> {
  return (await tx.query(replaceTags, [id, tagIds])).length;
}

export type MirroredPost = {
  id: string;
  externalId: string;
  requestId: string;
  kind: string;
  authorName: string | null;
  body: string;
  createdAt: Date;
};

/** A post under an id of CDESK's that is known is edited. False where nothing changed. */
export async function saveMirroredPost(tx: Transaction, post: MirroredPost): Promise<boolean> {
  const { id, externalId, requestId, kind, authorName, body, createdAt } = post;
  const values = [id, externalId, requestId, kind, authorName, body, createdAt, tx.now];
  return (await tx.query(addPost, values)).length > 0;
}
