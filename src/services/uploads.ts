import { v7 as uuid } from 'uuid';
import type { Database } from '../db/database.ts';
import { AttachmentRejectedError, Failure } from '../errors.ts';
import type { Actor } from './actor.ts';
import { allowedMimeTypes, attachmentKind, MAX_ATTACHMENT_BYTES, MAX_STILL_STICKER_BYTES } from './attachment-kinds.ts';
import { uploaderOf } from './send-files.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const MAX_NAME_LENGTH = 240;

/** What the bytes of an uploaded file are. */
export type Upload = { name: string | null; mimeType: string; size: number; sha256: string; isAnimated: boolean };

export function newAttachmentId(): string {
  return uuid();
}

/** Refuses what Meta would not take, before anything is kept. */
export function requireSendable({
  mimeType,
  size,
  isAnimated,
}: Pick<Upload, 'mimeType' | 'size' | 'isAnimated'>): void {
  const kind = attachmentKind(mimeType);
  if (!kind) throw rejected('WhatsApp takes no files of this type.');
  const isStill = kind.kind === 'STICKER' && !isAnimated;
  const maxBytes = isStill ? MAX_STILL_STICKER_BYTES : kind.maxBytes;
  if (size > maxBytes) throw tooLarge(maxBytes);
}

export function tooLarge(maxBytes: number = MAX_ATTACHMENT_BYTES): Failure {
  return new Failure(
    new AttachmentRejectedError(`WhatsApp takes at most ${maxBytes} bytes of this kind of file.`, { maxBytes }, [
      'input',
      'file',
    ]),
  );
}

export function rejected(message: string): Failure {
  return new Failure(
    new AttachmentRejectedError(message, { allowedMimeTypes: [...allowedMimeTypes] }, ['input', 'file']),
  );
}

/** A file of this actor, which nobody else can send. One that is not used goes after a day. */
export async function recordAttachment(
  db: Database,
  actor: Actor,
  upload: Upload & { id: string; storageKey: string },
): Promise<void> {
  const { id, name, mimeType, size, sha256, storageKey } = upload;
  const expiresAt = new Date(Date.now() + DAY_MS);
  const uploadedById = uploaderOf(actor);
  const fileName = shownName(name);
  await db.prisma.attachment.create({
    data: { id, fileName, mimeType, byteSize: size, sha256, storageKey, expiresAt, uploadedById, state: 'UPLOADED' },
  });
}

/** A name to show: no path, no invisible characters that turn its ending around. */
function shownName(name: string | null): string | null {
  const last = name?.split(/[/\\]/).at(-1) ?? '';
  return (
    last
      .replaceAll(/[\p{C}\u2028\u2029]/gu, '')
      .trim()
      .slice(0, MAX_NAME_LENGTH) || null
  );
}
