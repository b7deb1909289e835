import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import PrismaPlugin from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import { hasPermission, hasScope } from '../auth.ts';
import type { Context } from '../context.ts';
import { forbidden, unauthenticated } from '../errors.ts';
import { getDatamodel, type default as PrismaTypes } from '../generated/pothos-types.ts';
import type { ChatPermission, TokenScope } from '../generated/prisma/enums.ts';

export type SchemaTypes = {
  Context: Context;
  PrismaTypes: PrismaTypes;
  DefaultFieldNullability: false;
  AuthScopes: {
    /** Anyone with a valid log-in or token. */
    signedIn: boolean;
    /** An operator with this right; no token has any. */
    permission: ChatPermission;
    /** A token with this scope, or an operator who may read conversations. */
    scope: TokenScope;
  };
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    Date: { Input: string; Output: string };
    TimeZone: { Input: string; Output: string };
    PhoneNumber: { Input: string; Output: string };
    MetaId: { Input: string; Output: string };
    EventCursor: { Input: string; Output: string };
    LanguageCode: { Input: string; Output: string };
  };
};

/** The builder's own types with Pothos' defaults filled in, for helpers that take refs. */
export type Types = PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>;

/** The one builder: Relay ids and nodes, rights per field, Prisma models as types. */
export const builder = new SchemaBuilder<SchemaTypes>({
  plugins: [RelayPlugin, ScopeAuthPlugin, PrismaPlugin, DataloaderPlugin],
  defaultFieldNullability: false,
  relay: {
    nodeQueryOptions: {
      description: 'Any object by its global id; null where it does not exist or may not be seen.',
      nullable: true,
    },
    nodesQueryOptions: {
      description: 'Objects by their global ids, in the order of the ids.',
      nullable: { list: false, items: true },
    },
  },
  scopeAuth: {
    authScopes: ({ viewer }) => ({
      signedIn: viewer !== null,
      permission: (permission) => hasPermission(viewer, permission),
      scope: (scope) => hasScope(viewer, scope),
    }),
    unauthorizedError: (_parent, { viewer }) => (viewer ? forbidden('You may not see this.') : unauthenticated()),
    treatErrorsAsUnauthorized: false,
  },
  prisma: {
    client: ({ db }) => db.prisma,
    dmmf: getDatamodel(),
    filterConnectionTotalCount: true,
    exposeDescriptions: false,
  },
});

builder.queryType({
  description: 'Reads. A field that the viewer may not see is null, with FORBIDDEN among the errors.',
});
builder.mutationType({
  description: 'Changes. Expected failures are in the payload: where `errors` is not empty, nothing was changed.',
});
builder.subscriptionType({ description: 'Live events, resumable by cursor. See docs/events.md.' });
