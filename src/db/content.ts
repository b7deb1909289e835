import type { MessageKind } from '../generated/prisma/enums.ts';

/** A file as Meta announces it; the bytes come later. */
export type AnnouncedMedia = {
  mediaId: string | null;
  mimeType: string;
  /** Hex or base64, as Meta sent it. */
  sha256: string | null;
  fileName: string | null;
};

export type SharedContact = { name: string; phoneNumbers: string[] };

/**
 * What a message says, in the shape in which it is stored (`message.content`). It holds no ids of rows:
 * the attachment of a media message hangs on the message itself.
 */
export type Content =
  | { type: 'text'; text: string }
  | { type: 'media'; caption: string | null }
  | { type: 'location'; latitude: number; longitude: number; name: string | null; address: string | null }
  | { type: 'contacts'; contacts: SharedContact[] }
  | { type: 'interactive'; replyId: string; title: string; description: string | null }
  | {
      type: 'template';
      name: string;
      language: string;
      header: string | null;
      body: string;
      footer: string | null;
      parameters: { key: string; value: string | null; attachmentId: string | null }[];
    }
  | { type: 'system'; text: string }
  | { type: 'unsupported'; providerType: string; reason: string | null };

/** Content with its kind and, for media kinds, the announced file. */
export type DescribedContent = { kind: MessageKind; content: Content; media: AnnouncedMedia | null };
