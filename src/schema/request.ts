import { hasScope } from '../auth.ts';
import type { Context } from '../context.ts';
import { badInput } from '../errors.ts';
import type { Conversation as ConversationRow, Prisma, Request as RequestRow } from '../generated/prisma/client.ts';
import { fieldValues } from '../services/requests/fields.ts';
import { Attachment } from './attachment.ts';
import { builder } from './builder.ts';
import { Company } from './company.ts';
import { connectionType, pageArguments } from './connection-type.ts';
import { Contact, contactOf } from './contact.ts';
import { Conversation } from './conversation.ts';
import { DiscussionConnection } from './discussion.ts';
import { RequestSearchScope, RequestVisibility } from './enums.ts';
import { argumentId } from './global-id.ts';
import { emptyPage } from './connection.ts';
import { MessageConnection } from './message.ts';
import { findable } from './node.ts';
import { Operator } from './operator.ts';
import { requestsSeenBy, seesContacts, seesText } from './request-access.ts';
import { RequestFilterInput } from './request-filter.ts';
import { discussionPage, linkedMessagePage } from './request-part-pages.ts';
import { requestPage, type RequestListArguments } from './request-page.ts';
import { RequestFieldDefinition, RequestTemplate } from './request-template.ts';
import { streamCursor } from './stream.ts';
import { Tag } from './tag.ts';
import { reads } from './wanted-rows.ts';

const RequestStatus = builder.prismaObject('RequestStatus', {
  description: 'Where a request stands. CDESK names them.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Names the status in inputs.' }),
    name: t.exposeString('name'),
    closed: t.exposeBoolean('closed', { description: 'True for a status that ends a request.' }),
  }),
});

const RequestFieldValue = builder.objectRef<ReturnType<typeof fieldValues>[number]>('RequestFieldValue').implement({
  fields: (t) => ({
    field: t.field({ type: RequestFieldDefinition, resolve: ({ field }) => field }),
    value: t.string({
      nullable: true,
      description: "As the field's type writes it. Null where it is not set, and without READ_MESSAGE_BODIES.",
      resolve: ({ value }, _args, { viewer }) => (seesText(viewer) ? value : null),
    }),
  }),
});

export const Request = builder.prismaNode('Request', {
  id: { field: 'id' },
  description: 'What CDESK works on: made of messages, kept beside the conversation.',
  authScopes: { scope: 'READ_REQUESTS' },
  runScopesOnType: true,
  fields: (t) => ({
    code: t.exposeString('code', { description: 'A running number, or year and serial. Unique; show it as it is.' }),
    name: t.string({
      nullable: true,
      description: 'One line of 1 to 255 characters. Null without READ_MESSAGE_BODIES.',
      resolve: (request, _args, { viewer }) => (seesText(viewer) ? request.name : null),
    }),
    description: t.string({
      nullable: true,
      description: 'Plain text; markup in it means nothing. Null without READ_MESSAGE_BODIES.',
      resolve: (request, _args, { viewer }) => (seesText(viewer) ? request.description : null),
    }),
    company: t.field({
      type: Company,
      nullable: true,
      description: 'Null without READ_CONTACT_DATA.',
      resolve: (request, _args, { viewer, loaders }) =>
        request.companyId && seesContacts(viewer) ? loaders.company.load(request.companyId) : null,
    }),
    contact: t.field({
      type: Contact,
      nullable: true,
      description: 'Null without READ_CONTACT_DATA.',
      resolve: (request, _args, { viewer, loaders }) =>
        request.contactId && seesContacts(viewer) ? loaders.contact.load(request.contactId) : null,
    }),
    template: t.field({
      type: RequestTemplate,
      nullable: true,
      resolve: (request, _args, { loaders }) =>
        request.templateId ? loaders.requestTemplate.load(request.templateId) : null,
    }),
    status: t.field({
      type: RequestStatus,
      resolve: async (request, _args, { loaders }) => {
        const status = await loaders.requestStatus.load(request.statusKey);
        if (!status) throw new Error('a status that a foreign key promises is missing');
        return status;
      },
    }),
    assignee: t.field({
      type: Operator,
      nullable: true,
      resolve: (request, _args, { loaders }) => (request.assigneeId ? loaders.operator.load(request.assigneeId) : null),
    }),
    visibility: t.expose('visibility', { type: RequestVisibility }),
    customFields: t.field({
      type: [RequestFieldValue],
      description: 'The fields of its template in the order of the form.',
      resolve: async (request, _args, { loaders }) => {
        const template = request.templateId ? await loaders.requestTemplate.load(request.templateId) : null;
        return fieldValues(template, request.customFields);
      },
    }),
    tags: t.field({
      type: [Tag],
      description: 'By name.',
      resolve: (request, _args, { loaders }) => loaders.tagsOf.load(request.id),
    }),
    attachments: t.field({
      type: [Attachment],
      description: 'In the order in which they were added. Empty without READ_MESSAGE_BODIES.',
      resolve: (request, _args, { viewer, loaders }) =>
        hasScope(viewer, 'READ_MESSAGE_BODIES') ? loaders.filesOfRequest.load(request.id) : [],
    }),
    discussion: t.field({
      type: DiscussionConnection,
      description: 'Oldest first; read the newest with `last`. Internal notes only for those who may see them.',
      args: pageArguments(t.arg),
      resolve: (request, args, context) => discussionPage(request.id, args, context),
    }),
    linkedMessages: t.field({
      type: MessageConnection,
      description: 'The messages filed under it, as the conversation orders them. Empty without READ_CONVERSATIONS.',
      args: pageArguments(t.arg),
      resolve: async (request, args, context) =>
        hasScope(context.viewer, 'READ_CONVERSATIONS')
          ? linkedMessagePage(request.id, args, context)
          : { ...emptyPage(), asOf: await streamCursor(context) },
    }),
    conversation: t.field({
      type: Conversation,
      nullable: true,
      description: 'Where it came from; null for what was made in CDESK, and without READ_CONVERSATIONS.',
      resolve: (request, _args, { viewer, loaders }) =>
        request.conversationId && hasScope(viewer, 'READ_CONVERSATIONS')
          ? loaders.conversation.load(request.conversationId)
          : null,
    }),
    createdBy: t.field({
      type: Operator,
      nullable: true,
      description: 'Null for what a token or CDESK made.',
      resolve: (request, _args, { loaders }) =>
        request.createdById ? loaders.operator.load(request.createdById) : null,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      description: 'The last change of anything, also of tags, files, links and posts.',
    }),
    version: t.exposeInt('version', {
      description:
        'Grows with every change of its fields: give it as expectedVersion. Tags, files, links and posts leave it.',
    }),
  }),
});

findable('Request', { scope: 'READ_REQUESTS' }, (id, { loaders }) => loaders.request.load(id));

export const RequestConnection = connectionType<RequestRow>('Request', Request, { asOf: true });

builder.queryField('requests', (t) =>
  t.field({
    type: RequestConnection,
    nullable: true,
    description: 'Every request that the viewer may see, newest first.',
    authScopes: { scope: 'READ_REQUESTS' },
    args: {
      ...pageArguments(t.arg),
      filter: t.arg({ type: RequestFilterInput }),
      search: t.arg.string({ description: 'Every word must occur in code or name; case and accents do not matter.' }),
    },
    resolve: (_root, args, context) => requestPage({}, args, context),
  }),
);

builder.queryField('request', (t) =>
  t.field({
    type: Request,
    nullable: true,
    description: 'One request by id or by code; null where it does not exist or may not be seen.',
    authScopes: { scope: 'READ_REQUESTS' },
    args: { id: t.arg.id(), code: t.arg.string() },
    resolve: (_root, { id, code }, { db, viewer, loaders }) => {
      if ((id == null) === (code == null)) throw badInput('Give id or code.', 'id');
      if (id != null) return loaders.request.load(argumentId('Request', id, 'id'));
      return db.prisma.request.findFirst({ where: { AND: [{ code: code ?? '' }, requestsSeenBy(viewer)] } });
    },
  }),
);

builder.prismaObjectField(Conversation, 'requests', (t) =>
  t.field({
    type: RequestConnection,
    extensions: reads<ConversationRow>('id', 'participantId'),
    description: 'Requests made here, newest first; with `scope` a wider search. Empty without READ_REQUESTS.',
    args: {
      ...pageArguments(t.arg),
      filter: t.arg({ type: RequestFilterInput }),
      search: t.arg.string({ description: 'Every word must occur in code or name; case and accents do not matter.' }),
      scope: t.arg({ type: RequestSearchScope, required: true, defaultValue: 'CONVERSATION' }),
    },
    resolve: (conversation, { scope, ...args }, context) => conversationRequests(conversation, scope, args, context),
  }),
);

async function conversationRequests(
  conversation: ConversationRow,
  scope: typeof RequestSearchScope.$inferType,
  args: RequestListArguments,
  context: Context,
) {
  return requestPage(await within(conversation, scope, context), args, context);
}

async function within(
  conversation: ConversationRow,
  scope: typeof RequestSearchScope.$inferType,
  context: Context,
): Promise<Prisma.RequestWhereInput> {
  if (scope === 'ALL') return {};
  if (scope === 'CONVERSATION') return { conversationId: conversation.id };
  const { participantId } = conversation;
  if (scope === 'PARTICIPANT') return { conversation: { participantId } };
  const participant = await context.loaders.participant.load(participantId);
  const contact = participant && (await contactOf(participant, context));
  return contact?.companyId ? { companyId: contact.companyId } : { id: { in: [] } };
}
