import { lockSendFiles, type SendFile } from '../db/statements/send-files.ts';
import type { Transaction } from '../db/transaction.ts';
import { AttachmentRejectedError, Failure } from '../errors.ts';
import type { Actor } from './actor.ts';
import { allowedMimeTypes, attachmentKind, MAX_CAPTION_LENGTH, type AttachmentKind } from './attachment-kinds.ts';

/** Who uploaded it, person or token; only they may send it. */
export function uploaderOf(actor: Actor): string | null {
  return actor.operatorId ?? actor.tokenId;
}

/** The files of this actor that were uploaded and not sent yet; any other id is as good as missing. */
export async function findOwnFiles(tx: Transaction, actor: Actor, ids: string[]): Promise<SendFile[]> {
  const files = await lockSendFiles(tx, ids);
  const uploader = uploaderOf(actor);
  return files.filter(
    (file) =>
      uploader !== null && file.uploadedById === uploader && file.messageId === null && file.storageKey !== null,
  );
}

/** The one file of a reply, or a refusal that says why not. */
export async function requireOwnFile(
  tx: Transaction,
  actor: Actor,
  id: string,
  caption: string,
): Promise<{ file: SendFile; kind: AttachmentKind }> {
  const [file] = await findOwnFiles(tx, actor, [id]);
  if (!file) throw rejected('There is no such file of yours to send; a file is sent once.', ['input', 'attachmentId']);
  const kind = attachmentKind(file.mimeType);
  if (!kind) throw rejected('WhatsApp takes no files of this type.', ['input', 'attachmentId']);
  if (caption === '') return { file, kind };
  if (!kind.takesCaption) throw rejected('Sound and stickers take no text; send it on its own.', ['input', 'text']);
  if (caption.length > MAX_CAPTION_LENGTH)
    throw rejected(`A text beside a file has at most ${MAX_CAPTION_LENGTH} characters.`, ['input', 'text']);
  return { file, kind };
}

function rejected(message: string, path: string[]): Failure {
  return new Failure(new AttachmentRejectedError(message, { allowedMimeTypes: [...allowedMimeTypes] }, path));
}
