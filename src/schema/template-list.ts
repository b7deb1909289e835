import type { Context } from '../context.ts';
import type { KeysetPosition } from '../db/keyset.ts';
import { countTemplates, findTemplatePage, type TemplateFilter } from '../db/statements/template-page.ts';
import type { Template as TemplateRow } from '../generated/prisma/client.ts';
import { foldText } from '../services/preview.ts';
import { requireModule } from '../services/module.ts';
import type { MirrorResult } from '../services/templates/mirror.ts';
import type { UserError as UserErrorShape } from '../errors.ts';
import { builder } from './builder.ts';
import { connectionType, pageArguments } from './connection-type.ts';
import { encodeCursor, isRowId, isText, pageRequest, toPage, type PageArguments } from './connection.ts';
import { requireRight } from './rights.ts';
import { streamCursor } from './stream.ts';
import { StringFilterInput } from './string-filter.ts';
import { Template } from './template.ts';
import { TemplateCategory, TemplateKind, TemplateStatus } from './template-parts.ts';
import { payload, UserError } from './user-error.ts';

export const TemplateConnection = connectionType<TemplateRow>('Template', Template, { asOf: true });

const TemplateFilterInput = builder.inputType('TemplateFilterInput', {
  description: 'All given conditions hold together.',
  fields: (t) => ({
    statuses: t.field({ type: [TemplateStatus] }),
    languages: t.field({ type: ['LanguageCode'] }),
    categories: t.field({ type: [TemplateCategory] }),
    kinds: t.field({ type: [TemplateKind] }),
    name: t.field({ type: StringFilterInput }),
    usableOnly: t.boolean({ description: 'Only what can be sent now.' }),
  }),
});

builder.queryField('templates', (t) =>
  t.field({
    type: TemplateConnection,
    nullable: true,
    description: 'Templates, those used last first, then by name and language.',
    authScopes: { scope: 'READ_CONVERSATIONS' },
    args: { ...pageArguments(t.arg), filter: t.arg({ type: TemplateFilterInput }) },
    resolve: (_root, { filter, ...page }, context) => templatePage(toFilter(filter ?? {}), page, context),
  }),
);

type Synced = Partial<MirrorResult> & { errors: UserErrorShape[] };

const SyncTemplatesPayload = builder.objectRef<Synced>('SyncTemplatesPayload').implement({
  description: 'What changed; after an error also what came before it.',
  fields: (t) => ({
    added: t.int({ resolve: ({ added }) => added ?? 0 }),
    changed: t.int({ resolve: ({ changed }) => changed ?? 0 }),
    removed: t.int({ resolve: ({ removed }) => removed ?? 0 }),
    errors: t.field({ type: [UserError], resolve: ({ errors }) => errors }),
  }),
});

builder.mutationField('syncTemplates', (t) =>
  t.field({
    type: SyncTemplatesPayload,
    description:
      "Reads Meta's list of templates now; it is read every hour by itself. Needs SEND_TEMPLATES, or a token with WRITE_MESSAGES.",
    resolve: async (_root, _args, context) => {
      const allowed = await payload(async () => {
        requireRight(context.viewer, 'SEND_TEMPLATES', 'WRITE_MESSAGES');
        requireModule(await context.readModule.current(), 'enabled');
        return {};
      });
      return allowed.errors.length > 0 ? allowed : context.syncTemplates();
    },
  }),
);

const ORDER = 'templates';

/** One page, ordered by recent use. */
export async function templatePage(filter: TemplateFilter, args: PageArguments, context: Context) {
  const request = pageRequest(args, ORDER, isPosition);
  const asOf = await streamCursor(context);
  const rows = await findTemplatePage(context.db.pool, filter, request);
  const page = toPage(rows, request, (row) => encodeCursor(ORDER, [row.rank, row.name, row.language, row.id]));
  return { ...page, asOf, totalCount: () => countTemplates(context.db.pool, filter) };
}

function isPosition([rank, name, language, id, ...rest]: KeysetPosition): boolean {
  return Number.isFinite(rank) && isText(name) && isText(language) && isRowId(id) && rest.length === 0;
}

/** What a closed window still allows. */
export const usableTemplates: TemplateFilter = toFilter({ usableOnly: true });

function toFilter(input: typeof TemplateFilterInput.$inferInput): TemplateFilter {
  const statuses = input.usableOnly
    ? (input.statuses ?? ['APPROVED' as const]).filter((status) => status === 'APPROVED')
    : input.statuses;
  return {
    statuses: statuses ?? null,
    languages: input.languages ?? null,
    categories: input.categories ?? null,
    kinds: input.kinds ?? null,
    name: input.name ? { match: input.name.match, value: foldText(input.name.value.trim()) } : null,
  };
}
