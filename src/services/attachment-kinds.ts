import type { MessageKind } from '../generated/prisma/enums.ts';

/** How a file is sent, and what Meta takes of its kind. */
export type AttachmentKind = {
  kind: Extract<MessageKind, 'IMAGE' | 'VIDEO' | 'AUDIO' | 'VOICE' | 'DOCUMENT' | 'STICKER'>;
  maxBytes: number;
  takesCaption: boolean;
};

const KIB = 1_024;
const MIB = 1_024 * KIB;

const image: AttachmentKind = { kind: 'IMAGE', maxBytes: 5 * MIB, takesCaption: true };
const video: AttachmentKind = { kind: 'VIDEO', maxBytes: 16 * MIB, takesCaption: true };
const audio: AttachmentKind = { kind: 'AUDIO', maxBytes: 16 * MIB, takesCaption: false };
const voice: AttachmentKind = { kind: 'VOICE', maxBytes: 16 * MIB, takesCaption: false };
const document: AttachmentKind = { kind: 'DOCUMENT', maxBytes: 100 * MIB, takesCaption: true };
const sticker: AttachmentKind = { kind: 'STICKER', maxBytes: 500 * KIB, takesCaption: false };

export const MAX_STILL_STICKER_BYTES = 100 * KIB;
export const MAX_ATTACHMENT_BYTES = document.maxBytes;
export const MAX_CAPTION_LENGTH = 1_024;

const kinds: ReadonlyMap<string, AttachmentKind> = new Map([
  ['image/jpeg', image],
  ['image/png', image],
  ['image/webp', sticker],
  ['video/mp4', video],
  ['video/3gpp', video],
  ['audio/aac', audio],
  ['audio/amr', audio],
  ['audio/mpeg', audio],
  ['audio/mp4', audio],
  // Meta takes OPUS only, which is what voice messages are made of.
  ['audio/ogg', voice],
  ['text/plain', document],
  ['application/pdf', document],
  ['application/msword', document],
  ['application/vnd.ms-excel', document],
  ['application/vnd.ms-powerpoint', document],
  ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', document],
  ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', document],
  ['application/vnd.openxmlformats-officedocument.presentationml.presentation', document],
]);

export const allowedMimeTypes: readonly string[] = [...kinds.keys()];

/** Null where Meta takes no such file. */
export function attachmentKind(mimeType: string): AttachmentKind | null {
  return kinds.get(mimeType) ?? null;
}
