import { newId } from '../../db/new-id.ts';
import type { MessageRow } from '../../db/rows.ts';
import type { AnnouncedMedia } from '../../db/content.ts';
import type { NewAttachment } from '../../db/statements/attachments.ts';
import { type Batch } from './batch.ts';

const MEDIA_ID_LIFE_MS = 7 * 24 * 60 * 60 * 1000;

/** The message shows at once; its file is fetched by a job while Meta's id lives, which began when it reached us. */
export function announceMedia(batch: Batch, message: MessageRow, media: AnnouncedMedia, receivedAt: Date): void {
  batch.attachments.push(announced(batch, message, media, receivedAt));
}

/** The newest edit says which file a message has, if any. */
export function replaceMedia(batch: Batch, message: MessageRow, media: AnnouncedMedia | null, receivedAt: Date): void {
  const attachment = media && announced(batch, message, media, receivedAt);
  batch.replacedAttachments.set(message.id, { messageId: message.id, attachment });
}

function announced(batch: Batch, message: MessageRow, media: AnnouncedMedia, receivedAt: Date): NewAttachment {
  return {
    id: newId(),
    messageId: message.id,
    fileName: media.fileName,
    mimeType: media.mimeType,
    sha256: hexOf(media.sha256),
    state: media.mediaId ? 'FETCHING' : 'FAILED',
    providerMediaId: media.mediaId,
    providerMediaExpiresAt: new Date(receivedAt.getTime() + MEDIA_ID_LIFE_MS),
    fetchDueAt: media.mediaId ? batch.changes.now : null,
  };
}

/** Webhooks carry the checksum in base64, the Graph API in hex. Anything else is no checksum. */
function hexOf(sha256: string | null): string | null {
  if (sha256 === null) return null;
  if (/^[0-9a-f]{64}$/i.test(sha256)) return sha256.toLowerCase();
  const bytes = Buffer.from(sha256, 'base64');
  return bytes.length === 32 ? bytes.toString('hex') : null;
}
