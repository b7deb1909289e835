import type { Statement, Transaction } from '../transaction.ts';

/** A file of Meta's that is to be fetched. */
export type WantedMedia = {
  attachmentId: string;
  mediaId: string;
  /** After it Meta does not give the file any more; UTC. */
  expiresAt: Date;
  announcedType: string;
  /** Lower-case hex; null where Meta announced none. */
  announcedSha256: string | null;
  /** Counting this one. */
  attempts: number;
};

/** What became of it, as the row keeps it. */
export type FetchedMedia = {
  state: 'AVAILABLE' | 'FAILED' | 'EXPIRED';
  storageKey: string | null;
  byteSize: number | null;
  sha256: string | null;
  mimeType: string | null;
  error: string | null;
};

const addJobs: Statement = {
  name: 'add-media-jobs',
  text: `SELECT graphile_worker.add_job('fetch-media', json_build_object('attachmentId', wanted.id),
      job_key => 'media:' || wanted.id, run_at => $2, max_attempts => 25)
    FROM unnest($1::uuid[]) AS wanted (id)`,
};

const begin: Statement = {
  name: 'begin-fetching-media',
  text: `UPDATE attachment SET fetch_attempts = fetch_attempts + 1, fetch_due_at = $2
    WHERE id = $1 AND state = 'FETCHING' AND provider_media_id IS NOT NULL
    RETURNING id AS "attachmentId", provider_media_id AS "mediaId", mime_type AS "announcedType",
      coalesce(provider_media_expires_at, created_at + interval '7 days') AS "expiresAt",
      sha256 AS "announcedSha256", fetch_attempts AS attempts`,
};

const postpone: Statement = {
  name: 'postpone-fetching-media',
  text: `UPDATE attachment SET fetch_due_at = $2, error = $3 WHERE id = $1 AND state = 'FETCHING' RETURNING id`,
};

const settle: Statement = {
  name: 'settle-media',
  text: `UPDATE attachment a SET state = $2::"AttachmentState", storage_key = $3, byte_size = $4, sha256 = coalesce($5, a.sha256),
      mime_type = coalesce($6, a.mime_type), error = $7, fetch_due_at = NULL
    FROM message m JOIN conversation c ON c.id = m.conversation_id
    WHERE a.id = $1 AND m.id = a.message_id AND a.state = 'FETCHING'
    RETURNING m.id AS "messageId", c.id AS "conversationId", c.business_number_id AS "businessNumberId"`,
};

/** Queues the fetching with the transaction; `at` (UTC) puts it off. */
export async function addMediaJobs(tx: Transaction, attachmentIds: string[], at: Date = tx.now): Promise<void> {
  if (attachmentIds.length > 0) await tx.query(addJobs, [attachmentIds, at]);
}

/** Null where there is nothing to fetch any more. `until` is when somebody else should look. */
export async function beginFetching(tx: Transaction, attachmentId: string, until: Date): Promise<WantedMedia | null> {
  const [wanted] = await tx.query<WantedMedia>(begin, [attachmentId, until]);
  return wanted ?? null;
}

/** False where it was settled meanwhile. */
export async function postponeFetching(
  tx: Transaction,
  attachmentId: string,
  at: Date,
  error: string,
): Promise<boolean> {
  return (await tx.query(postpone, [attachmentId, at, error])).length > 0;
}

/** Null where it was settled meanwhile. */
export async function settleMedia(
  tx: Transaction,
  attachmentId: string,
  media: FetchedMedia,
): Promise<{ messageId: string; conversationId: string; businessNumberId: string } | null> {
  const { state, storageKey, byteSize, sha256, mimeType, error } = media;
  const rows = await tx.query<{ messageId: string; conversationId: string; businessNumberId: string }>(settle, [
    attachmentId,
    state,
    storageKey,
    byteSize,
    sha256,
    mimeType,
    error,
  ]);
  return rows[0] ?? null;
}

/** Files that should have been fetched by now: their process died, or their job was lost. */
export async function findAbandonedMedia(tx: Pick<Transaction, 'query'>, before: Date): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `SELECT id FROM attachment WHERE state = 'FETCHING' AND fetch_due_at < $1 ORDER BY fetch_due_at LIMIT 500`,
    [before],
  );
  return rows.map((row) => row.id);
}
