import * as errors from '../errors.ts';
import { builder } from './builder.ts';
import { MessagingWindow } from './conversation-parts.ts';
import { TemplateConnection, templatePage, usableTemplates } from './template-list.ts';
import { UserError } from './user-error.ts';

builder.objectType(errors.WindowClosedError, {
  name: 'WindowClosedError',
  description: "Meta's 24-hour window is closed: send a template.",
  interfaces: [UserError],
  fields: (t) => ({
    window: t.field({
      type: MessagingWindow,
      resolve: async (error, _args, { loaders }) => {
        const conversation = await loaders.conversation.load(error.conversationId);
        if (!conversation) throw new Error('the conversation of a closed window is missing');
        return conversation;
      },
    }),
    usableTemplates: t.field({
      type: TemplateConnection,
      description: 'What can still be sent, used last first.',
      args: {
        first: t.arg.int({ defaultValue: 20, description: 'Size of the page, 1 to 100.' }),
        after: t.arg.string(),
      },
      resolve: (_error, args, context) => templatePage(usableTemplates, args, context),
    }),
  }),
});
