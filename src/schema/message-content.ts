import type { Attachment as AttachmentRow, Message } from '../generated/prisma/client.ts';
import type { Content } from '../db/content.ts';
import { Attachment } from './attachment.ts';
import { builder } from './builder.ts';

type Of<T extends Content['type']> = Extract<Content, { type: T }>;

const TextContent = builder.objectRef<Of<'text'>>('TextContent').implement({
  fields: (t) => ({ text: t.exposeString('text') }),
});

const MediaContent = builder.objectRef<Of<'media'> & { attachment: AttachmentRow }>('MediaContent').implement({
  fields: (t) => ({
    attachment: t.field({ type: Attachment, resolve: (content) => content.attachment }),
    caption: t.exposeString('caption', { nullable: true }),
  }),
});

const LocationContent = builder.objectRef<Of<'location'>>('LocationContent').implement({
  fields: (t) => ({
    latitude: t.exposeFloat('latitude'),
    longitude: t.exposeFloat('longitude'),
    name: t.exposeString('name', { nullable: true }),
    address: t.exposeString('address', { nullable: true }),
  }),
});

const SharedContact = builder.objectRef<Of<'contacts'>['contacts'][number]>('SharedContact').implement({
  fields: (t) => ({ name: t.exposeString('name'), phoneNumbers: t.exposeStringList('phoneNumbers') }),
});

const ContactsContent = builder.objectRef<Of<'contacts'>>('ContactsContent').implement({
  fields: (t) => ({ contacts: t.field({ type: [SharedContact], resolve: (content) => content.contacts }) }),
});

const InteractiveReplyContent = builder.objectRef<Of<'interactive'>>('InteractiveReplyContent').implement({
  description: 'The customer pressed a button, chose from a list, filled a form or ordered.',
  fields: (t) => ({
    replyId: t.exposeString('replyId'),
    title: t.exposeString('title'),
    description: t.exposeString('description', { nullable: true }),
  }),
});

const SystemContent = builder.objectRef<Of<'system'>>('SystemContent').implement({
  description: 'A notice of WhatsApp, such as a changed number.',
  fields: (t) => ({ text: t.exposeString('text') }),
});

const UnsupportedContent = builder.objectRef<Of<'unsupported'>>('UnsupportedContent').implement({
  description: 'Something that the API cannot carry or that is not known here yet.',
  fields: (t) => ({
    providerType: t.exposeString('providerType'),
    reason: t.exposeString('reason', { nullable: true }),
  }),
});

const typeNames = {
  text: TextContent,
  media: MediaContent,
  location: LocationContent,
  contacts: ContactsContent,
  interactive: InteractiveReplyContent,
  system: SystemContent,
  unsupported: UnsupportedContent,
} as const;

type Shown = Exclude<Content, { type: 'media' | 'template' }> | (Of<'media'> & { attachment: AttachmentRow });

export const MessageContent = builder.unionType('MessageContent', {
  description: 'What a message says.',
  types: Object.values(typeNames),
  resolveType: (content) => typeNames[content.type],
});

/** The stored content with its file; without the file a media message has nothing to show. */
export function shownContent(message: Pick<Message, 'content'>, attachments: AttachmentRow[]): Shown {
  // Written by us only, in the shape of `Content`.
  const content = message.content as Content;
  if (content.type === 'template') return { type: 'text', text: content.body };
  if (content.type !== 'media') return content;
  const attachment = attachments.at(-1);
  return attachment
    ? { ...content, attachment }
    : { type: 'unsupported', providerType: 'media', reason: content.caption };
}
