import * as errors from '../errors.ts';
import { builder } from './builder.ts';
import { Template } from './template.ts';
import { UserError } from './user-error.ts';

builder.objectType(errors.TemplateNotUsableError, {
  name: 'TemplateNotUsableError',
  description: 'This template cannot be sent now.',
  interfaces: [UserError],
  fields: (t) => ({
    template: t.field({
      type: Template,
      nullable: true,
      resolve: ({ templateId }, _args, { loaders }) => (templateId ? loaders.template.load(templateId) : null),
    }),
  }),
});

builder.objectType(errors.TemplateParameterError, {
  name: 'TemplateParameterError',
  description: 'The values do not fit the variables of the template. Everything that is wrong, all at once.',
  interfaces: [UserError],
  fields: (t) => ({
    missing: t.exposeStringList('missing', { description: 'Keys of required values that were not given.' }),
    unexpected: t.exposeStringList('unexpected', { description: 'Keys that the template does not have.' }),
    invalid: t.exposeStringList('invalid', {
      description: 'Keys whose value is empty, too long, of another kind, given twice, or holds what WhatsApp refuses.',
    }),
  }),
});
