import { builder } from './builder.ts';
import { connectionType, pageArguments } from './connection-type.ts';
import { encodeCursor, isInteger, pageRequest, toPage, type PageArguments } from './connection.ts';
import type { Context } from '../context.ts';
import { findable } from './node.ts';
import { streamCursor } from './stream.ts';
import { reads } from './wanted-rows.ts';
import type { Operator as OperatorRow } from '../generated/prisma/client.ts';
import { loginState } from '../services/login-state.ts';
import { ChatPermission, LoginState } from './enums.ts';

export const Operator = builder.prismaNode('Operator', {
  id: { field: 'id' },
  description: 'A person who answers customers.',
  authScopes: (operator, { viewer }) =>
    viewer?.kind === 'operator' && viewer.operatorId === operator.id ? true : { colleague: true },
  runScopesOnType: true,
  fields: (t) => ({
    number: t.exposeInt('number', { description: 'Human number, never reused.' }),
    displayName: t.exposeString('displayName'),
    login: t.exposeString('login'),
    permissions: t.expose('permissions', {
      type: [ChatPermission],
      description: 'Effective rights in the chat module.',
    }),
    loginState: t.field({
      type: LoginState,
      extensions: reads<OperatorRow>('lastSeenAt', 'sessionExpiresAt', 'signedOutAt', 'deactivatedAt'),
      resolve: (operator, _args, { env }) => loginState(operator, new Date(), env.presenceSeconds * 1000),
    }),
    lastSeenAt: t.expose('lastSeenAt', { type: 'DateTime', nullable: true }),
    deactivatedAt: t.expose('deactivatedAt', { type: 'DateTime', nullable: true }),
  }),
});

findable('Operator', { colleague: true }, (id, { loaders }) => loaders.operator.load(id));

const OperatorConnection = connectionType<OperatorRow>('Operator', Operator, { asOf: true });

builder.queryField('operators', (t) =>
  t.field({
    type: OperatorConnection,
    nullable: true,
    description: 'Active operators by number. Deactivated ones are not listed but stay reachable as authors.',
    authScopes: { colleague: true },
    args: pageArguments(t.arg),
    resolve: (_root, args, context) => operatorPage(args, context),
  }),
);

async function operatorPage(args: PageArguments, context: Context) {
  const request = pageRequest(args, 'operators', ([number, ...rest]) => isInteger(number) && rest.length === 0);
  const asOf = await streamCursor(context);
  const after = request.position?.[0];
  const number = typeof after === 'number' ? { [request.forward ? 'gt' : 'lt']: after } : undefined;
  const where = { deactivatedAt: null };
  const rows = await context.db.prisma.operator.findMany({
    where: { ...where, number },
    orderBy: { number: request.forward ? 'asc' : 'desc' },
    take: request.size + 1,
  });
  const page = toPage(rows, request, (row) => encodeCursor('operators', [row.number]));
  return { ...page, asOf, totalCount: () => context.db.prisma.operator.count({ where }) };
}
