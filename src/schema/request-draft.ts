import { hasScope } from '../auth.ts';
import type { Context } from '../context.ts';
import type { Content } from '../db/content.ts';
import { badInput } from '../errors.ts';
import type {
  Conversation as ConversationRow,
  Message as MessageRow,
  RequestTemplate as RequestTemplateRow,
} from '../generated/prisma/client.ts';
import { draftDescription, draftName } from '../services/requests/draft.ts';
import { fieldDefinitions } from '../services/requests/fields.ts';
import { builder } from './builder.ts';
import { Company } from './company.ts';
import { Contact, contactOf } from './contact.ts';
import { argumentId } from './global-id.ts';
import { Message } from './message.ts';
import { RequestFieldDefinition, RequestTemplate } from './request-template.ts';
import { visibleConversationRow } from './visibility.ts';

type Draft = { conversation: ConversationRow; source: MessageRow | null; template: RequestTemplateRow | null };

const RequestDraft = builder.objectRef<Draft>('RequestDraft').implement({
  description: 'What the form for a new request shows before it is saved. Reading it makes nothing.',
  fields: (t) => ({
    sourceMessage: t.field({
      type: Message,
      nullable: true,
      description: "The message asked for, else the customer's last one that was not taken back.",
      resolve: ({ source }) => source,
    }),
    name: t.string({
      nullable: true,
      description: 'The beginning of the message in one line, to go on from. Null without READ_MESSAGE_BODIES.',
      resolve: async ({ source }, _args, context) => {
        const said = await saidIn(source, context);
        return said && draftName(said);
      },
    }),
    company: t.field({
      type: Company,
      nullable: true,
      description: 'The company of the contact.',
      resolve: async ({ conversation }, _args, context) => {
        const contact = await customer(conversation, context);
        return contact?.companyId ? context.loaders.company.load(contact.companyId) : null;
      },
    }),
    contact: t.field({
      type: Contact,
      nullable: true,
      description: "The contact with the customer's number, where exactly one has it.",
      resolve: ({ conversation }, _args, context) => customer(conversation, context),
    }),
    template: t.field({ type: RequestTemplate, nullable: true, resolve: ({ template }) => template }),
    description: t.string({
      description:
        "Plain text: the customer's words as they are (of a file its caption, else its name), then the template's text after an empty line. Markup in it means nothing.",
      resolve: async ({ source, template }, _args, context) =>
        draftDescription(await saidIn(source, context), template?.defaultDescription ?? null),
    }),
    fields: t.field({
      type: [RequestFieldDefinition],
      description: 'The extra fields of the template.',
      resolve: ({ template }) => fieldDefinitions(template),
    }),
  }),
});

builder.queryField('requestDraft', (t) =>
  t.field({
    type: RequestDraft,
    nullable: true,
    description: 'A form that is filled in from a conversation; null where that does not exist or may not be seen.',
    authScopes: { $all: { scope: 'READ_CONVERSATIONS', $all: { scope: 'READ_REQUESTS' } } },
    args: {
      conversationId: t.arg.id({ required: true }),
      templateId: t.arg.id(),
      messageId: t.arg.id({ description: 'Any message of the conversation to begin with.' }),
    },
    resolve: async (_root, { conversationId, templateId, messageId }, context) => {
      const id = argumentId('Conversation', conversationId, 'conversationId');
      const conversation = await visibleConversationRow(id, context);
      if (!conversation) return null;
      const [source, template] = await Promise.all([
        messageId == null
          ? lastCustomerMessage(conversation.id, context)
          : chosenMessage(conversation.id, messageId, context),
        templateId == null ? null : chosenTemplate(templateId, context),
      ]);
      return { conversation, source, template };
    },
  }),
);

function lastCustomerMessage(conversationId: string, { db }: Context): Promise<MessageRow | null> {
  return db.prisma.message.findFirst({
    where: { conversationId, direction: 'INCOMING', origin: 'CUSTOMER', withdrawnAt: null },
    orderBy: [{ sentSecond: 'desc' }, { sequence: 'desc' }],
  });
}

async function chosenMessage(conversationId: string, global: string, { loaders }: Context): Promise<MessageRow> {
  const message = await loaders.message.load(argumentId('Message', global, 'messageId'));
  if (message?.conversationId === conversationId) return message;
  throw badInput('There is no such message in this conversation.', 'messageId');
}

async function chosenTemplate(global: string, { loaders }: Context): Promise<RequestTemplateRow> {
  const template = await loaders.requestTemplate.load(argumentId('RequestTemplate', global, 'templateId'));
  if (template?.active) return template;
  throw badInput('There is no such request template.', 'templateId');
}

/** Null where there is no message, it was taken back, or its text may not be read. */
async function saidIn(source: MessageRow | null, { viewer, loaders }: Context) {
  if (!source || source.withdrawnAt || !hasScope(viewer, 'READ_MESSAGE_BODIES')) return null;
  const files = await loaders.attachmentsOf.load(source.id);
  // Written by us only, in the shape of `Content`.
  return { kind: source.kind, content: source.content as Content, fileName: files.at(-1)?.fileName ?? null };
}

async function customer(conversation: ConversationRow, context: Context) {
  const participant = await context.loaders.participant.load(conversation.participantId);
  return participant && contactOf(participant, context);
}
