import { hasScope } from '../auth.ts';
import type { Context } from '../context.ts';
import type { UserError as UserErrorShape } from '../errors.ts';
import { addDiscussionPost } from '../services/requests/discuss.ts';
import { builder } from './builder.ts';
import { DiscussionPost } from './discussion.ts';
import { DiscussionKind } from './enums.ts';
import { soughtId } from './global-id.ts';
import { Request } from './request.ts';
import { postsSeenBy } from './request-access.ts';
import { openDesk, visibleRequest } from './request-payload.ts';
import { requireRight, requireScope } from './rights.ts';
import { payload, UserError } from './user-error.ts';

type Posted = { postId?: string; requestId?: string; replayed?: boolean; errors: UserErrorShape[] };

const DiscussionPostPayload = builder.objectRef<Posted>('DiscussionPostPayload').implement({
  fields: (t) => ({
    post: t.field({
      type: DiscussionPost,
      nullable: true,
      description: 'Null for a token without READ_REQUESTS.',
      resolve: ({ postId }, _args, { viewer, db }) =>
        postId && hasScope(viewer, 'READ_REQUESTS')
          ? db.prisma.discussionPost.findFirst({ where: { AND: [{ id: postId }, postsSeenBy(viewer)] } })
          : null,
    }),
    request: t.field({
      type: Request,
      nullable: true,
      description: 'Null for a token without READ_REQUESTS.',
      resolve: ({ requestId }, _args, { loaders }) => (requestId ? loaders.request.load(requestId) : null),
    }),
    replayed: t.boolean({
      description: 'True where the same key and content were sent before: this is the first result.',
      resolve: ({ replayed }) => replayed ?? false,
    }),
    errors: t.field({ type: [UserError], resolve: ({ errors }) => errors }),
  }),
});

const AddDiscussionPostInput = builder.inputType('AddDiscussionPostInput', {
  fields: (t) => ({
    requestId: t.id({ required: true }),
    kind: t.field({ type: DiscussionKind, required: true }),
    body: t.string({
      required: true,
      description: '1 to 32,768 characters, stored as sent; markup in it means nothing.',
    }),
    attachmentIds: t.idList({
      required: true,
      defaultValue: [],
      description: "Files of the conversation's messages and your own uploads, at most 50.",
    }),
    idempotencyKey: t.string({
      required: true,
      description: 'A repeat with the same content returns the first result. Kept at least 7 days.',
    }),
  }),
});

type Input = { requestId: string; kind: 'PUBLIC_POST' | 'INTERNAL_NOTE'; body: string; attachmentIds: string[] };

builder.mutationField('addDiscussionPost', (t) =>
  t.field({
    type: DiscussionPostPayload,
    description:
      'Writes beside a request. Nothing is sent to WhatsApp and the beacon stays. Needs EDIT_REQUESTS, or a token with WRITE_REQUESTS, READ_REQUESTS and, for a note, READ_INTERNAL_NOTES.',
    args: { input: t.arg({ type: AddDiscussionPostInput, required: true }) },
    resolve: (_root, { input }, context) => payload(() => post(input, context)),
  }),
);

async function post(input: Input & { idempotencyKey: string }, context: Context) {
  const actor = requireRight(context.viewer, 'EDIT_REQUESTS', 'WRITE_REQUESTS');
  if (input.kind === 'INTERNAL_NOTE') requireScope(context.viewer, 'READ_INTERNAL_NOTES');
  const desk = await openDesk(context);
  const requestId = await visibleRequest(input.requestId, context);
  const attachmentIds = input.attachmentIds.map((id) => soughtId('Attachment', id));
  return addDiscussionPost(context.db, actor, { ...input, requestId, attachmentIds }, desk);
}
