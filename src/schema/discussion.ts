import type { DiscussionPost as DiscussionPostRow } from '../generated/prisma/client.ts';
import { hasScope } from '../auth.ts';
import { Attachment } from './attachment.ts';
import { builder } from './builder.ts';
import { connectionType } from './connection-type.ts';
import { DiscussionKind } from './enums.ts';
import { findable } from './node.ts';
import { Operator } from './operator.ts';
import { postsSeenBy, requestsSeenBy, seesText } from './request-access.ts';

export const DiscussionPost = builder.prismaNode('DiscussionPost', {
  id: { field: 'id' },
  description: 'What somebody wrote about a request. It is not sent to WhatsApp.',
  authScopes: { scope: 'READ_REQUESTS' },
  runScopesOnType: true,
  fields: (t) => ({
    kind: t.expose('kind', { type: DiscussionKind }),
    author: t.field({
      type: Operator,
      nullable: true,
      description: 'Null for what a token or CDESK wrote.',
      resolve: (post, _args, { loaders }) => (post.authorId ? loaders.operator.load(post.authorId) : null),
    }),
    authorName: t.string({
      nullable: true,
      description: "The operator's name, the token's, or the one that CDESK told.",
      resolve: async (post, _args, { loaders }) => {
        if (post.authorName || !post.authorId) return post.authorName;
        return (await loaders.operator.load(post.authorId))?.displayName ?? null;
      },
    }),
    body: t.string({
      nullable: true,
      description: 'Plain text; markup in it means nothing. Null without READ_MESSAGE_BODIES.',
      resolve: (post, _args, { viewer }) => (seesText(viewer) ? post.body : null),
    }),
    attachments: t.field({
      type: [Attachment],
      description: 'Empty without READ_MESSAGE_BODIES.',
      resolve: (post, _args, { viewer, loaders }) =>
        hasScope(viewer, 'READ_MESSAGE_BODIES') ? loaders.filesOfPost.load(post.id) : [],
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    editedAt: t.expose('editedAt', { type: 'DateTime', nullable: true }),
  }),
});

findable('DiscussionPost', { scope: 'READ_REQUESTS' }, (id, { db, viewer }) =>
  db.prisma.discussionPost.findFirst({
    where: { AND: [{ id }, postsSeenBy(viewer), { request: requestsSeenBy(viewer) }] },
  }),
);

export const DiscussionConnection = connectionType<DiscussionPostRow>('Discussion', DiscussionPost, { asOf: false });
