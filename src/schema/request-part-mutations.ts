import {
  addRequestAttachments,
  addRequestTags,
  removeRequestAttachments,
  removeRequestTags,
} from '../services/requests/parts.ts';
import type { Context } from '../context.ts';
import { builder } from './builder.ts';
import { soughtId } from './global-id.ts';
import { openDesk, RequestPayload, visibleRequest } from './request-payload.ts';
import { requireRight } from './rights.ts';
import { payload } from './user-error.ts';

const NEEDS = 'Safe to repeat. Needs EDIT_REQUESTS, or a token with WRITE_REQUESTS and READ_REQUESTS.';

const RequestTagsInput = builder.inputType('RequestTagsInput', {
  fields: (t) => ({
    requestId: t.id({ required: true }),
    tagIds: t.idList({ required: true, description: 'Tags of the tag list, at most 50.' }),
  }),
});

const RequestAttachmentsInput = builder.inputType('RequestAttachmentsInput', {
  fields: (t) => ({
    requestId: t.id({ required: true }),
    attachmentIds: t.idList({
      required: true,
      description: "Files of the conversation's messages and your own uploads, at most 50.",
    }),
  }),
});

builder.mutationField('addRequestTags', (t) =>
  t.field({
    type: RequestPayload,
    description: `Adds tags and leaves the others. ${NEEDS}`,
    args: { input: t.arg({ type: RequestTagsInput, required: true }) },
    resolve: (_root, { input }, context) => payload(() => changeTags(addRequestTags, input, context)),
  }),
);

builder.mutationField('removeRequestTags', (t) =>
  t.field({
    type: RequestPayload,
    description: `Takes tags away and leaves the others. ${NEEDS}`,
    args: { input: t.arg({ type: RequestTagsInput, required: true }) },
    resolve: (_root, { input }, context) => payload(() => changeTags(removeRequestTags, input, context)),
  }),
);

builder.mutationField('addRequestAttachments', (t) =>
  t.field({
    type: RequestPayload,
    description: `Adds files, which are shared with their messages and not copied. ${NEEDS}`,
    args: { input: t.arg({ type: RequestAttachmentsInput, required: true }) },
    resolve: (_root, { input }, context) => payload(() => changeFiles(addRequestAttachments, input, context)),
  }),
);

builder.mutationField('removeRequestAttachments', (t) =>
  t.field({
    type: RequestPayload,
    description: `Takes files from the request; a message keeps its own. ${NEEDS}`,
    args: { input: t.arg({ type: RequestAttachmentsInput, required: true }) },
    resolve: (_root, { input }, context) => payload(() => changeFiles(removeRequestAttachments, input, context)),
  }),
);

async function changeTags(
  change: typeof addRequestTags,
  input: { requestId: string; tagIds: string[] },
  context: Context,
) {
  const { actor, desk, requestId } = await openRequest(input.requestId, context);
  const tagIds = input.tagIds.map((id) => soughtId('Tag', id));
  return change(context.db, actor, { requestId, tagIds }, desk);
}

async function changeFiles(
  change: typeof addRequestAttachments,
  input: { requestId: string; attachmentIds: string[] },
  context: Context,
) {
  const { actor, desk, requestId } = await openRequest(input.requestId, context);
  const attachmentIds = input.attachmentIds.map((id) => soughtId('Attachment', id));
  return change(context.db, actor, { requestId, attachmentIds }, desk);
}

async function openRequest(global: string, context: Context) {
  const actor = requireRight(context.viewer, 'EDIT_REQUESTS', 'WRITE_REQUESTS');
  const desk = await openDesk(context);
  return { actor, desk, requestId: await visibleRequest(global, context) };
}
