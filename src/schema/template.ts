import type { Template as TemplateRow } from '../generated/prisma/client.ts';
import { templateParts, type TemplatePart } from '../services/templates/parts.ts';
import { renderTemplate, type RenderedTemplate } from '../services/templates/render.ts';
import { keyOf } from '../services/templates/values.ts';
import { templateVariables } from '../services/templates/variables.ts';
import { builder } from './builder.ts';
import {
  TemplateCategory,
  TemplateComponent,
  TemplateKind,
  TemplateParameterFormat,
  TemplateStatus,
} from './template-parts.ts';
import { TemplateParameterInput } from './template-parameter.ts';
import { TemplateVariable } from './template-variable.ts';
import { findable } from './node.ts';

const TemplatePreview = builder.objectRef<RenderedTemplate & { missing: string[] }>('TemplatePreview').implement({
  description: 'How the message will read. Placeholders without a value stay.',
  fields: (t) => ({
    header: t.exposeString('header', { nullable: true, description: 'Null for a header that is a file or a place.' }),
    body: t.exposeString('body'),
    footer: t.exposeString('footer', { nullable: true }),
    missing: t.exposeStringList('missing', { description: 'Keys of required values that were not given.' }),
  }),
});

export const Template = builder.prismaNode('Template', {
  id: { field: 'id' },
  description: "A message template of WhatsApp, mirrored from Meta's list. One per name and language.",
  authScopes: { scope: 'READ_CONVERSATIONS' },
  runScopesOnType: true,
  fields: (t) => ({
    metaId: t.expose('metaId', { type: 'MetaId' }),
    name: t.exposeString('name'),
    language: t.expose('language', { type: 'LanguageCode' }),
    category: t.expose('category', { type: TemplateCategory }),
    kind: t.expose('kind', { type: TemplateKind }),
    status: t.expose('status', { type: TemplateStatus }),
    rejectionReason: t.exposeString('rejectionReason', { nullable: true, description: "Meta's word." }),
    parameterFormat: t.expose('parameterFormat', { type: TemplateParameterFormat }),
    components: t.field({ type: [TemplateComponent], resolve: partsOf }),
    variables: t.field({
      type: [TemplateVariable],
      description: 'Every value that a send can or must give.',
      resolve: (template) => {
        const parts = partsOf(template);
        return templateVariables(parts).map((one) => ({ ...one, parts, language: template.language }));
      },
    }),
    preview: t.field({
      type: TemplatePreview,
      args: { parameters: t.arg({ type: [TemplateParameterInput] }) },
      resolve: (template, { parameters }) => previewOf(template, parameters ?? []),
    }),
    usable: t.boolean({ description: 'It can be sent now.', resolve: ({ status }) => status === 'APPROVED' }),
    lastSyncedAt: t.expose('lastSyncedAt', { type: 'DateTime', description: "When Meta's list had it last." }),
  }),
});

export function partsOf(template: Pick<TemplateRow, 'components' | 'category'>): TemplatePart[] {
  return templateParts(template.components, template.category);
}

findable('Template', { scope: 'READ_CONVERSATIONS' }, (id, { loaders }) => loaders.template.load(id));

function previewOf(template: TemplateRow, parameters: (typeof TemplateParameterInput.$inferInput)[]) {
  const parts = partsOf(template);
  const given = new Set(
    parameters.filter((one) => one.value?.trim() || one.attachmentId || one.location).map(({ key }) => keyOf(key)),
  );
  const texts = new Map(parameters.flatMap(({ key, value }) => (value?.trim() ? [[keyOf(key), value] as const] : [])));
  const missing = templateVariables(parts).filter(({ key, required }) => required && !given.has(key));
  return {
    ...renderTemplate(parts, (key) => texts.get(key) ?? null),
    missing: missing.map(({ key }) => key),
  };
}
