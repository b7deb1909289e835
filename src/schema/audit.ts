import { hasPermission } from '../auth.ts';
import type { Context } from '../context.ts';
import { findAuditPage } from '../db/statements/audit.ts';
import type { AuditEntry as AuditEntryRow } from '../generated/prisma/client.ts';
import { ApiToken } from './api-token.ts';
import { builder } from './builder.ts';
import { connectionType, pageArguments } from './connection-type.ts';
import { encodeCursor, isTimePosition, pageRequest, toPage, type PageArguments } from './connection.ts';
import { globalId } from './global-id.ts';
import { findable } from './node.ts';
import { Operator } from './operator.ts';

const AuditEntry = builder.prismaNode('AuditEntry', {
  id: { field: 'id' },
  description:
    "Who did what to settings, tokens, operators, people's data and deliveries. Kept when what it speaks of is gone.",
  authScopes: { permission: 'MANAGE_SETTINGS' },
  runScopesOnType: true,
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime' }),
    operator: t.field({
      type: Operator,
      nullable: true,
      description: 'Null where a token or the server itself did it.',
      resolve: ({ operatorId }, _args, { loaders }) => (operatorId ? loaders.operator.load(operatorId) : null),
    }),
    apiToken: t.field({
      type: ApiToken,
      nullable: true,
      description: 'Null where an operator or the server itself did it, and without MANAGE_TOKENS.',
      resolve: ({ apiTokenId }, _args, { db, viewer }) =>
        apiTokenId && hasPermission(viewer, 'MANAGE_TOKENS')
          ? db.prisma.apiToken.findUnique({ where: { id: apiTokenId } })
          : null,
    }),
    action: t.exposeString('action', {
      description:
        'E.g. SETTINGS_CHANGED, TOKEN_CREATED, PARTICIPANT_ERASED; REFUSED for an attempt without the right.',
    }),
    subjectId: t.id({
      nullable: true,
      description: 'Global id of what it was done to, which may be gone.',
      resolve: ({ subjectId }) => {
        const [type, id] = subjectId?.split(':') ?? [];
        return type && id ? globalId(type, id) : null;
      },
    }),
    detail: t.exposeString('detail', {
      nullable: true,
      description: 'Names of what changed, counts or reasons; never a secret or a message.',
    }),
    address: t.exposeString('address', { nullable: true, description: 'Network address of the caller.' }),
  }),
});

findable('AuditEntry', { permission: 'MANAGE_SETTINGS' }, (id, { db }) =>
  db.prisma.auditEntry.findUnique({ where: { id } }),
);

const AuditEntryConnection = connectionType<AuditEntryRow>('AuditEntry', AuditEntry, { asOf: false });

builder.queryField('auditLog', (t) =>
  t.field({
    type: AuditEntryConnection,
    nullable: true,
    description: 'What administrators did, newest first. Needs MANAGE_SETTINGS.',
    authScopes: { permission: 'MANAGE_SETTINGS' },
    args: pageArguments(t.arg),
    resolve: (_root, args, context) => auditPage(args, context),
  }),
);

async function auditPage(args: PageArguments, { db }: Context) {
  const request = pageRequest(args, 'auditLog', isTimePosition);
  const rows = await findAuditPage(db.pool, request);
  const page = toPage(rows, request, (row) => encodeCursor('auditLog', [row.at.toISOString(), row.id]));
  return { ...page, totalCount: () => db.prisma.auditEntry.count() };
}
