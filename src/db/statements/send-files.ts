import type { AttachmentState } from '../../generated/prisma/enums.ts';
import type { Statement, Transaction } from '../transaction.ts';

/** An uploaded file, as far as sending it goes. */
export type SendFile = {
  id: string;
  messageId: string | null;
  uploadedById: string | null;
  fileName: string | null;
  mimeType: string;
  byteSize: number | null;
  sha256: string | null;
  state: AttachmentState;
  storageKey: string | null;
  providerMediaId: string | null;
  providerMediaExpiresAt: Date | null;
};

const columns = `a.id, a.message_id AS "messageId", a.uploaded_by_id AS "uploadedById", a.file_name AS "fileName",
  a.mime_type AS "mimeType", a.byte_size AS "byteSize", a.sha256, a.state, a.storage_key AS "storageKey",
  a.provider_media_id AS "providerMediaId", a.provider_media_expires_at AS "providerMediaExpiresAt"`;

const lockByIds: Statement = {
  name: 'lock-send-files',
  text: `SELECT ${columns} FROM attachment a WHERE a.id = ANY($1::uuid[]) ORDER BY a.id FOR UPDATE`,
};

const ofMessage: Statement = {
  name: 'send-files-of-message',
  text: `SELECT ${columns} FROM attachment a WHERE a.message_id = $1 ORDER BY a.id`,
};

// The same bytes that went out from the same number are still at Meta: an id is of use to that number alone.
const alive: Statement = {
  name: 'find-live-media',
  text: `SELECT a.provider_media_id AS "mediaId", a.provider_media_expires_at AS "expiresAt"
    FROM attachment a JOIN message m ON m.id = a.message_id JOIN conversation c ON c.id = m.conversation_id
      JOIN business_number b ON b.id = c.business_number_id
    WHERE a.sha256 = $1 AND a.mime_type = $2 AND m.direction = 'OUTGOING' AND b.phone_number_id = $3
      AND a.provider_media_id IS NOT NULL AND a.provider_media_expires_at > $4
    ORDER BY a.provider_media_expires_at DESC LIMIT 1`,
};

export function lockSendFiles(tx: Transaction, ids: string[]): Promise<SendFile[]> {
  return ids.length === 0 ? Promise.resolve([]) : tx.query<SendFile>(lockByIds, [ids]);
}

export function findSendFiles(tx: Transaction, messageId: string): Promise<SendFile[]> {
  return tx.query<SendFile>(ofMessage, [messageId]);
}

/** From now on they belong to the message and are kept with it. */
export async function attachFiles(tx: Transaction, messageId: string, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.query('UPDATE attachment SET message_id = $1, expires_at = NULL WHERE id = ANY($2::uuid[])', [
    messageId,
    ids,
  ]);
}

export async function findLiveMedia(
  tx: Transaction,
  file: { sha256: string; mimeType: string; phoneNumberId: string; until: Date },
): Promise<{ mediaId: string; expiresAt: Date } | null> {
  const { sha256, mimeType, phoneNumberId, until } = file;
  const [found] = await tx.query<{ mediaId: string; expiresAt: Date }>(alive, [sha256, mimeType, phoneNumberId, until]);
  return found ?? null;
}

export async function saveProviderMedia(
  tx: Transaction,
  attachmentId: string,
  media: { mediaId: string; expiresAt: Date },
): Promise<void> {
  await tx.query('UPDATE attachment SET provider_media_id = $2, provider_media_expires_at = $3 WHERE id = $1', [
    attachmentId,
    media.mediaId,
    media.expiresAt,
  ]);
}
