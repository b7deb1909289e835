import type { AttachmentState } from '../../generated/prisma/enums.ts';
import { insertion, recordset, type Columns } from '../columns.ts';
import type { Statement, Transaction } from '../transaction.ts';
import { addMediaJobs } from './media.ts';

export type NewAttachment = {
  id: string;
  messageId: string;
  fileName: string | null;
  mimeType: string;
  sha256: string | null;
  state: AttachmentState;
  providerMediaId: string | null;
  providerMediaExpiresAt: Date | null;
  fetchDueAt: Date | null;
};

/** What an edit makes of the file of its message. */
export type AttachmentReplacement = {
  messageId: string;
  /** Null where the message has no file any more. */
  attachment: NewAttachment | null;
};

const columns = {
  id: ['id', 'uuid'],
  messageId: ['message_id', 'uuid'],
  fileName: ['file_name', 'text'],
  mimeType: ['mime_type', 'text'],
  sha256: ['sha256', 'text'],
  state: ['state', '"AttachmentState"'],
  providerMediaId: ['provider_media_id', 'text'],
  providerMediaExpiresAt: ['provider_media_expires_at', 'timestamptz'],
  fetchDueAt: ['fetch_due_at', 'timestamptz'],
} as const satisfies Columns & Record<keyof NewAttachment, unknown>;

const insert: Statement = {
  name: 'insert-attachments',
  text: `INSERT INTO attachment ${insertion(columns, 'n')} FROM ${recordset(columns, '$1', 'n')}`,
};

const insertReplacing: Statement = {
  name: 'insert-replacing-attachments',
  text: `${insert.text} WHERE NOT EXISTS (
      SELECT FROM attachment a
      WHERE a.message_id = n."messageId"
        AND a.provider_media_id IS NOT DISTINCT FROM coalesce(n."providerMediaId", a.provider_media_id))
    RETURNING id, state`,
};

/** What is filed under a request stays with its message. An edit that names no file changes none. */
const replaced = `a.message_id = n."messageId"
  AND (NOT n."hasFile" OR a.provider_media_id IS DISTINCT FROM coalesce(n."mediaId", a.provider_media_id))
  AND NOT EXISTS (SELECT FROM request_attachment r WHERE r.attachment_id = a.id)
  AND NOT EXISTS (SELECT FROM discussion_attachment d WHERE d.attachment_id = a.id)`;

const replacements = recordset(
  { messageId: ['messageId', 'uuid'], hasFile: ['hasFile', 'boolean'], mediaId: ['mediaId', 'text'] },
  '$1',
  'n',
);

const deleteReplaced: Statement = {
  name: 'delete-replaced-attachments',
  text: `DELETE FROM attachment a USING ${replacements} WHERE ${replaced} AND a.storage_key IS NULL`,
};

/** The file itself goes with those that are kept for a time only. */
const detachReplaced: Statement = {
  name: 'detach-replaced-attachments',
  text: `UPDATE attachment a SET message_id = NULL, expires_at = $2 FROM ${replacements} WHERE ${replaced}`,
};

/** The same file of Meta's keeps its row; another takes its place. */
export async function replaceAttachments(tx: Transaction, edits: AttachmentReplacement[]): Promise<void> {
  if (edits.length === 0) return;
  const told = edits.map(({ messageId, attachment }) => ({
    messageId,
    hasFile: attachment !== null,
    mediaId: attachment?.providerMediaId,
  }));
  tx.send(deleteReplaced, [JSON.stringify(told)]);
  tx.send(detachReplaced, [JSON.stringify(told), tx.now]);
  const attachments = edits.flatMap(({ attachment }) => attachment ?? []);
  if (attachments.length === 0) return;
  const added = await tx.query<Pick<NewAttachment, 'id' | 'state'>>(insertReplacing, [JSON.stringify(attachments)]);
  await addMediaJobs(tx, wantedOf(added));
}

/** Stores them, and queues the fetching of those that are to be fetched. */
export async function saveAttachments(tx: Transaction, attachments: NewAttachment[]): Promise<void> {
  if (attachments.length === 0) return;
  tx.send(insert, [JSON.stringify(attachments)]);
  await addMediaJobs(tx, wantedOf(attachments));
}

function wantedOf(attachments: Pick<NewAttachment, 'id' | 'state'>[]): string[] {
  return attachments.filter(({ state }) => state === 'FETCHING').map(({ id }) => id);
}
