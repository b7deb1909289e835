import SchemaBuilder from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import PrismaPlugin from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import type { Context } from '../context.ts';
import type { UploadedFile } from '../files/uploaded-file.ts';
import { fieldComplexity } from './field-complexity.ts';
import { getDatamodel, type default as PrismaTypes } from '../generated/pothos-types.ts';
import { globalId } from './global-id.ts';
import { mayAccess, refusalOf, type Access } from './rights.ts';

export type SchemaTypes = {
  Context: Context;
  PrismaTypes: PrismaTypes;
  DefaultFieldNullability: false;
  AuthScopes: Required<Access>;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    Date: { Input: string; Output: string };
    TimeZone: { Input: string; Output: string };
    PhoneNumber: { Input: string; Output: string };
    MetaId: { Input: string; Output: string };
    EventCursor: { Input: string; Output: string };
    LanguageCode: { Input: string; Output: string };
    /** Only given out; what comes in is a ConversationFilterInput. */
    ConversationFilterJSON: { Input: never; Output: object };
    File: { Input: UploadedFile; Output: never };
  };
};

/** The builder's own types with Pothos' defaults filled in, for helpers that take refs. */
export type Types = PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>;

/** The one builder: Relay ids and nodes, rights per field, Prisma models as types. */
export const builder = new SchemaBuilder<SchemaTypes>({
  plugins: [RelayPlugin, ScopeAuthPlugin, PrismaPlugin, DataloaderPlugin, ComplexityPlugin],
  defaultFieldNullability: false,
  relay: {
    encodeGlobalID: (type, id) => globalId(type, String(id)),
    // Ours hide what may not be seen, and load a page of ids in one statement.
    nodeQueryOptions: false,
    nodesQueryOptions: false,
  },
  scopeAuth: {
    authScopes: (context) => ({
      signedIn: (signedIn) => mayAccess(context, { signedIn }),
      colleague: (colleague) => mayAccess(context, { colleague }),
      permission: (permission) => mayAccess(context, { permission }),
      scope: (scope) => mayAccess(context, { scope }),
    }),
    unauthorizedError: (_parent, context, _info, { failure }) => refusalOf(context, failure),
    treatErrorsAsUnauthorized: false,
  },
  // Only the cost of each field: what an operation may cost is looked at before it is run.
  complexity: { fieldComplexity, disabled: true },
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
