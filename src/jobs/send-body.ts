import type { SendFile } from '../db/statements/send-files.ts';
import type { Unsent } from '../db/statements/send-queue.ts';
import {
  mediaPayload,
  recipientOf,
  templatePayload,
  textPayload,
  type MediaKind,
  type MessagePayload,
  type Recipient,
} from '../meta/payloads.ts';
import type { MessageKind } from '../generated/prisma/enums.ts';
import { opaqueIdOf } from '../services/receiving/our-id.ts';

const mediaKinds: Partial<Record<MessageKind, MediaKind>> = {
  IMAGE: 'image',
  VIDEO: 'video',
  AUDIO: 'audio',
  VOICE: 'audio',
  DOCUMENT: 'document',
  STICKER: 'sticker',
};

/** What goes to Meta; null where there is nobody to send it to, or its file is gone. */
export function bodyOf(message: Unsent, files: SendFile[]): MessagePayload | null {
  const recipient = recipientOf(message);
  if (!recipient) return null;
  const opaqueId = opaqueIdOf(message.id, message.retries);
  const common = { recipient, opaqueId, quotedId: message.quotedProviderId };
  const { content } = message;
  if (content.type === 'text') return textPayload({ ...common, text: content.text });
  if (content.type === 'media') return mediaBody(common, message.kind, content.caption, files);
  if (content.type !== 'template') return null;
  const components = withMediaIds(componentsOf(message.payload), files);
  return templatePayload({ ...common, name: content.name, language: content.language, components });
}

function mediaBody(
  common: { recipient: Recipient; opaqueId: string; quotedId: string | null },
  messageKind: MessageKind,
  caption: string | null,
  [file]: SendFile[],
): MessagePayload | null {
  const kind = mediaKinds[messageKind];
  const mediaId = file?.providerMediaId;
  if (!kind || !file || !mediaId) return null;
  return mediaPayload({ ...common, kind, mediaId, caption, filename: file.fileName, isVoice: messageKind === 'VOICE' });
}

/** Written by us when the message was queued. */
function componentsOf(payload: unknown): unknown[] {
  return (payload as { components?: unknown[] } | null)?.components ?? [];
}

/** Puts the ids under which Meta has the files where ours stand. */
function withMediaIds<T>(value: T, files: SendFile[]): T {
  const mediaIds = new Map(files.map((file) => [file.id, file.providerMediaId]));
  return JSON.parse(JSON.stringify(value), (_key, one: unknown) => withMediaId(one, mediaIds)) as T;
}

function withMediaId(one: unknown, mediaIds: ReadonlyMap<string, string | null>): unknown {
  if (typeof one !== 'object' || one === null || !('attachmentId' in one)) return one;
  const { attachmentId, ...rest } = one;
  return { id: mediaIds.get(String(attachmentId)), ...rest };
}
