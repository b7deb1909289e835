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

/** Stores them, and queues the fetching of those that are to be fetched. */
export async function saveAttachments(tx: Transaction, attachments: NewAttachment[]): Promise<void> {
  if (attachments.length === 0) return;
  tx.send(insert, [JSON.stringify(attachments)]);
  const wanted = attachments.filter((attachment) => attachment.state === 'FETCHING');
  await addMediaJobs(
    tx,
    wanted.map((attachment) => attachment.id),
  );
}
