import type { Database } from '../db/database.ts';
import { addSendJob } from '../db/statements/jobs.ts';
import { findLiveMedia, findSendFiles, saveProviderMedia, type SendFile } from '../db/statements/send-files.ts';
import { leaseMessage } from '../db/statements/send-queue.ts';
import { transaction, type Transaction } from '../db/transaction.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
/** Meta keeps an upload for 30 days; the last one is not relied on. */
const LIFE_MS = 29 * DAY_MS;
const MARGIN_MS = 60 * 60 * 1_000;
/** While a file is on its way to Meta; the upload renews it. */
export const UPLOAD_LEASE_MS = 60_000;

/** True where Meta has the file and keeps it long enough: uploaded for this message, or before with the same bytes. */
export async function reuseMedia(tx: Transaction, file: SendFile, phoneNumberId: string): Promise<boolean> {
  const until = new Date(tx.now.getTime() + MARGIN_MS);
  if (file.providerMediaId !== null && file.providerMediaExpiresAt !== null && file.providerMediaExpiresAt > until)
    return true;
  if (file.sha256 === null) return false;
  const { sha256, mimeType } = file;
  const media = await findLiveMedia(tx, { sha256, mimeType, phoneNumberId, until });
  if (media) await saveProviderMedia(tx, file.id, media);
  return media !== null;
}

export type MediaToUpload = {
  file: SendFile;
  messageId: string;
  conversationId: string;
  businessNumberId: string;
  phoneNumberId: string;
  /** How often it was tried, this time included. */
  attempts: number;
};

/** What the upload needs; null where the message no longer waits for it. */
export async function takeUpload(
  db: Database,
  upload: { attachmentId: string; messageId: string },
): Promise<MediaToUpload | null> {
  return transaction(db, async (tx) => {
    const [row] = await tx.query<Omit<MediaToUpload, 'file' | 'messageId'>>(
      `UPDATE attachment a SET fetch_attempts = fetch_attempts + 1
       FROM message m JOIN conversation c ON c.id = m.conversation_id JOIN business_number b ON b.id = c.business_number_id
       WHERE a.id = $1 AND m.id = $2 AND a.message_id = m.id AND m.send_state = 'QUEUED'
       RETURNING c.id AS "conversationId", b.id AS "businessNumberId", b.phone_number_id AS "phoneNumberId",
         a.fetch_attempts AS attempts`,
      [upload.attachmentId, upload.messageId],
    );
    const file = (await findSendFiles(tx, upload.messageId)).find(({ id }) => id === upload.attachmentId);
    return row && file ? { ...row, file, messageId: upload.messageId } : null;
  });
}

/** Says that the upload is still under way, so that nobody begins another one. */
export async function renewUpload(db: Database, messageId: string): Promise<void> {
  await transaction(db, (tx) => leaseMessage(tx, messageId, new Date(tx.now.getTime() + UPLOAD_LEASE_MS)));
}

/** Meta has it: the message goes on at once. */
export async function recordUpload(db: Database, upload: MediaToUpload, mediaId: string): Promise<void> {
  await transaction(db, async (tx) => {
    const expiresAt = new Date(tx.now.getTime() + LIFE_MS);
    await saveProviderMedia(tx, upload.file.id, { mediaId, expiresAt });
    await leaseMessage(tx, upload.messageId, tx.now);
    addSendJob(tx, upload.conversationId);
  });
}

/** It did not work this time: the message is looked at again then. */
export async function postponeUpload(db: Database, upload: MediaToUpload, at: Date): Promise<void> {
  await transaction(db, async (tx) => {
    await leaseMessage(tx, upload.messageId, at);
    addSendJob(tx, upload.conversationId, at);
  });
}
