import type { Viewer as ViewerShape } from '../auth.ts';
import { unauthenticated, type UserError as UserErrorShape } from '../errors.ts';
import { builder } from './builder.ts';
import { ChatPermission, TokenScope } from './enums.ts';
import { Operator } from './operator.ts';
import { UserError } from './user-error.ts';

export const Viewer = builder.objectRef<ViewerShape>('Viewer').implement({
  description: 'Who is asking, and what they may do.',
  fields: (t) => ({
    operator: t.field({
      type: Operator,
      nullable: true,
      description: 'Null for a dashboard token.',
      resolve: (viewer, _args, { loaders }) =>
        viewer.kind === 'operator' ? loaders.operator.load(viewer.operatorId) : null,
    }),
    permissions: t.field({
      type: [ChatPermission],
      description: 'Empty for a dashboard token.',
      resolve: (viewer) => (viewer.kind === 'operator' ? [...viewer.permissions] : []),
    }),
    tokenScopes: t.field({
      type: [TokenScope],
      description: 'Empty for an operator.',
      resolve: (viewer) => (viewer.kind === 'token' ? [...viewer.scopes] : []),
    }),
  }),
});

export const ViewerPayload = builder
  .objectRef<{ viewer?: ViewerShape | null; errors: UserErrorShape[] }>('ViewerPayload')
  .implement({
    fields: (t) => ({
      viewer: t.field({ type: Viewer, nullable: true, resolve: ({ viewer }) => viewer ?? null }),
      errors: t.field({ type: [UserError], resolve: ({ errors }) => errors }),
    }),
  });

builder.queryField('viewer', (t) =>
  t.field({
    type: Viewer,
    description: 'Who is asking.',
    authScopes: { signedIn: true },
    resolve: (_root, _args, { viewer }) => {
      if (!viewer) throw unauthenticated();
      return viewer;
    },
  }),
);
