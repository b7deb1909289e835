import { createRequest } from '../services/requests/create.ts';
import { updateRequest } from '../services/requests/update.ts';
import { builder } from './builder.ts';
import { RequestVisibility } from './enums.ts';
import { soughtId } from './global-id.ts';
import { openDesk, RequestPayload, visibleRequest } from './request-payload.ts';
import { namedConversation, requireRight } from './rights.ts';
import { payload } from './user-error.ts';

export const RequestFieldValueInput = builder.inputType('RequestFieldValueInput', {
  fields: (t) => ({
    key: t.string({ required: true, description: 'The key of a field of the template.' }),
    value: t.string({ description: "As the field's type writes it; null or empty clears." }),
  }),
});

const CreateRequestInput = builder.inputType('CreateRequestInput', {
  fields: (t) => ({
    conversationId: t.id({ required: true }),
    sourceMessageId: t.id({
      description:
        'The message that it is made from, which is linked as SOURCE. Without it the last one of the customer that was not taken back.',
    }),
    templateId: t.id({ description: 'A template for everyone, or one of the company.' }),
    name: t.string({ required: true, description: '1 to 255 characters in one line.' }),
    companyId: t.id(),
    contactId: t.id({ description: 'A contact of the company; alone it brings its company.' }),
    description: t.string({
      required: true,
      description: 'At most 32,768 characters, stored as sent; markup in it means nothing.',
    }),
    fields: t.field({ type: [RequestFieldValueInput], required: true, defaultValue: [] }),
    tagIds: t.idList({ required: true, defaultValue: [] }),
    attachmentIds: t.idList({
      required: true,
      defaultValue: [],
      description: "Files of this conversation's messages, which are shared and not copied, and your own uploads.",
    }),
    idempotencyKey: t.string({
      required: true,
      description: 'A repeat with the same content returns the first result. Kept at least 7 days.',
    }),
  }),
});

builder.mutationField('createRequest', (t) =>
  t.field({
    type: RequestPayload,
    description:
      'Makes a request of a message. Needs CREATE_REQUESTS, or a token with WRITE_REQUESTS and READ_CONVERSATIONS.',
    args: { input: t.arg({ type: CreateRequestInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload(async () => {
        const actor = requireRight(context.viewer, 'CREATE_REQUESTS', 'WRITE_REQUESTS');
        const desk = await openDesk(context);
        const request = {
          ...(await namedConversation(input.conversationId, context)),
          sourceMessageId: input.sourceMessageId ? soughtId('Message', input.sourceMessageId) : null,
          templateId: input.templateId ? soughtId('RequestTemplate', input.templateId) : null,
          name: input.name,
          companyId: input.companyId ? soughtId('Company', input.companyId) : null,
          contactId: input.contactId ? soughtId('Contact', input.contactId) : null,
          description: input.description,
          fields: input.fields,
          tagIds: input.tagIds.map((id) => soughtId('Tag', id)),
          attachmentIds: input.attachmentIds.map((id) => soughtId('Attachment', id)),
          idempotencyKey: input.idempotencyKey,
        };
        return createRequest(context.db, actor, request, desk);
      }),
  }),
);

const UpdateRequestInput = builder.inputType('UpdateRequestInput', {
  description: 'What is left out stays; null clears where that is allowed.',
  fields: (t) => ({
    requestId: t.id({ required: true }),
    expectedVersion: t.int({ required: true, description: 'The version that was read; another one is refused.' }),
    name: t.string({ description: '1 to 255 characters in one line; cannot be cleared.' }),
    companyId: t.id({ description: 'Must go with the contact.' }),
    contactId: t.id({ description: 'A contact of the company; alone it brings its company where there is none.' }),
    description: t.string({ description: 'At most 32,768 characters, stored as sent.' }),
    statusKey: t.string({ description: 'Cannot be cleared.' }),
    assigneeId: t.id({ description: 'An active operator.' }),
    visibility: t.field({ type: RequestVisibility, description: 'Cannot be cleared.' }),
    fields: t.field({
      type: [RequestFieldValueInput],
      description: 'Sets or clears the fields that it names; null clears all that can be edited.',
    }),
  }),
});

builder.mutationField('updateRequest', (t) =>
  t.field({
    type: RequestPayload,
    description:
      'Changes fields of a request; every problem is told at once. Needs EDIT_REQUESTS, or a token with WRITE_REQUESTS and READ_REQUESTS.',
    args: { input: t.arg({ type: UpdateRequestInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload(async () => {
        const actor = requireRight(context.viewer, 'EDIT_REQUESTS', 'WRITE_REQUESTS');
        const desk = await openDesk(context);
        const change = {
          ...input,
          requestId: await visibleRequest(input.requestId, context),
          companyId: input.companyId && soughtId('Company', input.companyId),
          contactId: input.contactId && soughtId('Contact', input.contactId),
          assigneeId: input.assigneeId && soughtId('Operator', input.assigneeId),
        };
        return updateRequest(context.db, actor, change, desk);
      }),
  }),
);
