import type { Attachment as AttachmentRow, Message } from '../generated/prisma/client.ts';
import type { Content } from '../db/content.ts';
import { Attachment } from './attachment.ts';
import { builder } from './builder.ts';
import { Template } from './template.ts';

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

type Parameter = Of<'template'>['parameters'][number];

const TemplateParameter = builder.objectRef<Parameter>('TemplateParameter').implement({
  description: 'A value that was filled into a template.',
  fields: (t) => ({
    key: t.exposeString('key'),
    value: t.exposeString('value', { nullable: true, description: 'Null for a file.' }),
    attachment: t.field({
      type: Attachment,
      nullable: true,
      resolve: ({ attachmentId }, _args, { loaders }) => (attachmentId ? loaders.attachment.load(attachmentId) : null),
    }),
  }),
});

const TemplateContent = builder.objectRef<Of<'template'> & { templateId: string | null }>('TemplateContent').implement({
  description: 'A template as it read when it was sent, whatever became of it since.',
  fields: (t) => ({
    template: t.field({
      type: Template,
      nullable: true,
      resolve: ({ templateId }, _args, { loaders }) => (templateId ? loaders.template.load(templateId) : null),
    }),
    templateName: t.exposeString('name'),
    language: t.expose('language', { type: 'LanguageCode' }),
    renderedHeader: t.exposeString('header', { nullable: true, description: 'Null for a file or a place.' }),
    renderedBody: t.exposeString('body'),
    renderedFooter: t.exposeString('footer', { nullable: true }),
    parameters: t.field({ type: [TemplateParameter], resolve: ({ parameters }) => parameters }),
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
  template: TemplateContent,
  system: SystemContent,
  unsupported: UnsupportedContent,
} as const;

type Shown =
  | Exclude<Content, { type: 'media' | 'template' }>
  | (Of<'media'> & { attachment: AttachmentRow })
  | (Of<'template'> & { templateId: string | null });

export const MessageContent = builder.unionType('MessageContent', {
  description: 'What a message says.',
  types: Object.values(typeNames),
  resolveType: (content) => typeNames[content.type],
});

/** The stored content with its file; without the file a media message has nothing to show. */
export function shownContent(message: Pick<Message, 'content' | 'templateId'>, attachments: AttachmentRow[]): Shown {
  // Written by us only, in the shape of `Content`.
  const content = message.content as Content;
  if (content.type === 'template') return { ...content, templateId: message.templateId };
  if (content.type !== 'media') return content;
  const attachment = attachments.at(-1);
  return attachment
    ? { ...content, attachment }
    : { type: 'unsupported', providerType: 'media', reason: content.caption };
}
