import type { UserError as UserErrorShape } from '../errors.ts';
import { createApiToken, revokeApiToken } from '../services/api-tokens.ts';
import { requireModule } from '../services/module.ts';
import { builder } from './builder.ts';
import { BusinessNumber } from './business-number.ts';
import { TokenScope } from './enums.ts';
import { inputId } from './global-id.ts';
import { findable } from './node.ts';
import { Operator } from './operator.ts';
import { requireOperator, requireRight } from './rights.ts';
import { payload, UserError } from './user-error.ts';

export const ApiToken = builder.prismaNode('ApiToken', {
  id: { field: 'id' },
  description: 'Lets a dashboard or another program in. Needs MANAGE_TOKENS.',
  authScopes: { permission: 'MANAGE_TOKENS' },
  runScopesOnType: true,
  fields: (t) => ({
    name: t.exposeString('name'),
    scopes: t.expose('scopes', { type: [TokenScope] }),
    hint: t.exposeString('hint', { description: 'The last four characters of the secret.' }),
    businessNumbers: t.field({
      type: [BusinessNumber],
      nullable: true,
      description: 'The numbers that it is limited to; null for every number.',
      resolve: async ({ businessNumberIds }, _args, { loaders }) => {
        if (businessNumberIds.length === 0) return null;
        const numbers = await Promise.all(businessNumberIds.map((id) => loaders.businessNumber.load(id)));
        return numbers.filter((number) => number !== null);
      },
    }),
    createdBy: t.field({
      type: Operator,
      resolve: async ({ createdById }, _args, { loaders }) => {
        const operator = await loaders.operator.load(createdById);
        if (!operator) throw new Error('the operator who made a token is missing');
        return operator;
      },
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'To within about ten seconds; null while it was never used.',
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true, description: 'Null: until it is revoked.' }),
    revokedAt: t.expose('revokedAt', { type: 'DateTime', nullable: true }),
  }),
});

findable('ApiToken', { permission: 'MANAGE_TOKENS' }, (id, { db }) => db.prisma.apiToken.findUnique({ where: { id } }));

const MAX_LISTED = 500;

builder.queryField('apiTokens', (t) =>
  t.field({
    type: [ApiToken],
    nullable: true,
    description: `Tokens, newest first, revoked ones among them; at most ${MAX_LISTED}. Needs MANAGE_TOKENS.`,
    authScopes: { permission: 'MANAGE_TOKENS' },
    resolve: (_root, _args, { db }) =>
      db.prisma.apiToken.findMany({ orderBy: [{ createdAt: 'desc' }, { id: 'desc' }], take: MAX_LISTED }),
  }),
);

type Changed = { tokenId?: string; secret?: string; errors: UserErrorShape[] };

const CreateApiTokenPayload = builder.objectRef<Changed>('CreateApiTokenPayload').implement({
  fields: (t) => ({
    apiToken: t.field({
      type: ApiToken,
      nullable: true,
      resolve: ({ tokenId }, _args, { db }) =>
        tokenId ? db.prisma.apiToken.findUnique({ where: { id: tokenId } }) : null,
    }),
    secret: t.string({
      nullable: true,
      description: 'Shown now and never again: only its hash is kept.',
      resolve: ({ secret }) => secret,
    }),
    errors: t.field({ type: [UserError], resolve: ({ errors }) => errors }),
  }),
});

const ApiTokenPayload = builder.objectRef<Changed>('ApiTokenPayload').implement({
  fields: (t) => ({
    apiToken: t.field({
      type: ApiToken,
      nullable: true,
      resolve: ({ tokenId }, _args, { db }) =>
        tokenId ? db.prisma.apiToken.findUnique({ where: { id: tokenId } }) : null,
    }),
    errors: t.field({ type: [UserError], resolve: ({ errors }) => errors }),
  }),
});

const CreateApiTokenInput = builder.inputType('CreateApiTokenInput', {
  fields: (t) => ({
    name: t.string({ required: true, description: '1 to 60 characters.' }),
    scopes: t.field({ type: [TokenScope], required: true, description: 'At least one.' }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'In the future; without it the token holds until it is revoked.',
    }),
    businessNumberIds: t.idList({ description: 'Limits it to these numbers; without it every number.' }),
  }),
});

const RevokeApiTokenInput = builder.inputType('RevokeApiTokenInput', {
  fields: (t) => ({ id: t.id({ required: true }) }),
});

builder.mutationField('createApiToken', (t) =>
  t.field({
    type: CreateApiTokenPayload,
    description: 'Makes a token and shows its secret once. Needs MANAGE_TOKENS.',
    args: { input: t.arg({ type: CreateApiTokenInput, required: true }) },
    resolve: (_root, { input }, { viewer, readModule, db }) =>
      payload(async () => {
        const actor = requireOperator(viewer, 'MANAGE_TOKENS');
        requireModule(readModule.present(), 'licensed');
        const businessNumberIds =
          input.businessNumberIds?.map((id) => inputId('BusinessNumber', id, 'businessNumberIds')) ?? null;
        return createApiToken(db, actor, {
          name: input.name,
          scopes: input.scopes,
          expiresAt: input.expiresAt ?? null,
          businessNumberIds,
        });
      }),
  }),
);

builder.mutationField('revokeApiToken', (t) =>
  t.field({
    type: ApiTokenPayload,
    description:
      'Ends a token at once and for good; its connections are closed within seconds. Safe to repeat. Needs MANAGE_TOKENS.',
    args: { input: t.arg({ type: RevokeApiTokenInput, required: true }) },
    resolve: (_root, { input }, { viewer, readModule, db }) =>
      payload(async () => {
        const actor = requireRight(viewer, 'MANAGE_TOKENS', null);
        requireModule(readModule.present(), 'licensed');
        const tokenId = inputId('ApiToken', input.id, 'id');
        await revokeApiToken(db, actor, tokenId);
        return { tokenId };
      }),
  }),
);
