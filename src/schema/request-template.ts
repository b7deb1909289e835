import { fieldDefinitions, type FieldDefinition } from '../services/requests/fields.ts';
import { builder } from './builder.ts';
import { Company } from './company.ts';
import { argumentId } from './global-id.ts';
import { findable } from './node.ts';
import { seesContacts } from './request-access.ts';

const MAX_TEMPLATES = 200;

export const RequestFieldDefinition = builder.objectRef<FieldDefinition>('RequestFieldDefinition').implement({
  description: 'An extra field that a request template brings.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Names the field in inputs.' }),
    label: t.exposeString('label'),
    type: t.exposeString('type', {
      description:
        'TEXT, NUMBER (1234.5), BOOLEAN (true or false), DATE (YYYY-MM-DD), DATE_TIME (RFC 3339 with a zone) or CHOICE (one of options). More may come: show them as text.',
    }),
    required: t.exposeBoolean('required'),
    editable: t.exposeBoolean('editable', { description: 'False: only CDESK sets it.' }),
    options: t.exposeStringList('options', { description: 'What a CHOICE can be.' }),
  }),
});

export const RequestTemplate = builder.prismaNode('RequestTemplate', {
  id: { field: 'id' },
  description: 'A kind of request: its extra fields, default text, status and assignee.',
  authScopes: { scope: 'READ_REQUESTS' },
  runScopesOnType: true,
  fields: (t) => ({
    name: t.exposeString('name'),
    company: t.field({
      type: Company,
      nullable: true,
      description: 'Null: for every company; and without READ_CONTACT_DATA.',
      resolve: (template, _args, { viewer, loaders }) =>
        template.companyId && seesContacts(viewer) ? loaders.company.load(template.companyId) : null,
    }),
    fields: t.field({
      type: [RequestFieldDefinition],
      description: 'In the order of the form.',
      resolve: (template) => fieldDefinitions(template),
    }),
    defaultDescription: t.exposeString('defaultDescription', {
      nullable: true,
      description: 'Follows the text of the customer in a draft.',
    }),
  }),
});

findable('RequestTemplate', { scope: 'READ_REQUESTS' }, (id, { loaders }) => loaders.requestTemplate.load(id));

builder.queryField('requestTemplates', (t) =>
  t.field({
    type: [RequestTemplate],
    nullable: true,
    description: `Templates that can be chosen, by name: those for everyone, and the company's own. At most ${MAX_TEMPLATES}.`,
    authScopes: { scope: 'READ_REQUESTS' },
    args: { companyId: t.arg.id({ description: 'The company that the request will be for.' }) },
    resolve: (_root, { companyId }, { db }) => {
      const company = companyId == null ? [] : [{ companyId: argumentId('Company', companyId, 'companyId') }];
      return db.prisma.requestTemplate.findMany({
        where: { active: true, OR: [{ companyId: null }, ...company] },
        orderBy: [{ name: 'asc' }, { id: 'asc' }],
        take: MAX_TEMPLATES,
      });
    },
  }),
);
