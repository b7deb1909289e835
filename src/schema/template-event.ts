import { hasScope } from '../auth.ts';
import { ChatEvent, eventType, fact } from './chat-event.ts';
import { globalId } from './global-id.ts';
import { Template } from './template.ts';
import { TemplateStatus } from './template-parts.ts';

export const TemplateChanged = eventType('TemplateChanged').implement({
  description: 'A template came, went, or got another state, category or text.',
  interfaces: [ChatEvent],
  fields: (t) => ({
    templateId: t.id({ resolve: (event) => globalId('Template', event.templateId ?? '') }),
    status: t.field({
      type: TemplateStatus,
      resolve: (event) => fact<typeof TemplateStatus.$inferType>(event, 'status'),
    }),
    template: t.field({
      type: Template,
      nullable: true,
      resolve: ({ templateId }, _args, { viewer, loaders }) =>
        templateId && hasScope(viewer, 'READ_CONVERSATIONS') ? loaders.template.load(templateId) : null,
    }),
  }),
});
