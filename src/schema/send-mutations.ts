import { Failure, NotFoundError } from '../errors.ts';
import { replyToConversation } from '../services/messages.ts';
import { requireModule } from '../services/module.ts';
import { sendTemplate, startConversation } from '../services/template-messages.ts';
import { builder } from './builder.ts';
import { namedConversation, requireRight } from './rights.ts';
import { inputId } from './global-id.ts';
import { SendMessagePayload } from './send-payload.ts';
import { TemplateParameterInput, toParameter } from './template-parameter.ts';
import { payload } from './user-error.ts';

const KEY = 'A repeat with the same content returns the first result. Kept at least 7 days.';

const ReplyToConversationInput = builder.inputType('ReplyToConversationInput', {
  fields: (t) => ({
    conversationId: t.id({ required: true }),
    text: t.string({
      required: false,
      description: '1 to 4096 characters after trimming; beside an attachment its caption, up to 1024.',
    }),
    attachmentId: t.id({ required: false, description: 'A file of your own from uploadAttachment; it is sent once.' }),
    quotedMessageId: t.id({ required: false, description: 'A message of this conversation that is answered.' }),
    idempotencyKey: t.string({ required: true, description: KEY }),
    expectedLastIncomingMessageId: t.id({
      required: false,
      description: 'Refuse if a newer customer message has arrived than the one seen.',
    }),
  }),
});

const SendTemplateInput = builder.inputType('SendTemplateInput', {
  fields: (t) => ({
    conversationId: t.id({ required: true }),
    templateId: t.id({ required: true }),
    parameters: t.field({ type: [TemplateParameterInput], required: true, defaultValue: [] }),
    idempotencyKey: t.string({ required: true, description: KEY }),
  }),
});

const StartConversationInput = builder.inputType('StartConversationInput', {
  fields: (t) => ({
    businessNumberId: t.id({ required: true, description: 'The number to write from.' }),
    phoneNumber: t.field({ type: 'PhoneNumber', required: true, description: 'Of the customer.' }),
    templateId: t.id({ required: true }),
    parameters: t.field({ type: [TemplateParameterInput], required: true, defaultValue: [] }),
    idempotencyKey: t.string({ required: true, description: KEY }),
  }),
});

builder.mutationField('replyToConversation', (t) =>
  t.field({
    type: SendMessagePayload,
    description:
      'Queues a reply and answers at once with it as PENDING. Needs REPLY, or a token with WRITE_MESSAGES and READ_CONVERSATIONS.',
    args: { input: t.arg({ type: ReplyToConversationInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload(async () => {
        const actor = requireRight(context.viewer, 'REPLY', 'WRITE_MESSAGES');
        const module = await context.readModule.current();
        requireModule(module, 'ready');
        const reply = {
          ...(await namedConversation(input.conversationId, context)),
          text: input.text ?? '',
          attachmentId: optionalId('Attachment', input.attachmentId, 'attachmentId'),
          quotedMessageId: optionalId('Message', input.quotedMessageId, 'quotedMessageId'),
          idempotencyKey: input.idempotencyKey,
          expectedLastIncomingMessageId: optionalId(
            'Message',
            input.expectedLastIncomingMessageId,
            'expectedLastIncomingMessageId',
          ),
        };
        return replyToConversation(context.db, actor, reply, context.rulesOf(module));
      }),
  }),
);

builder.mutationField('sendTemplate', (t) =>
  t.field({
    type: SendMessagePayload,
    description:
      'Queues a template, inside or outside the window. Everything that is wrong with its values is told at once. Needs SEND_TEMPLATES, or a token with WRITE_MESSAGES and READ_CONVERSATIONS.',
    args: { input: t.arg({ type: SendTemplateInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload(async () => {
        const actor = requireRight(context.viewer, 'SEND_TEMPLATES', 'WRITE_MESSAGES');
        const module = await context.readModule.current();
        requireModule(module, 'ready');
        const send = {
          ...(await namedConversation(input.conversationId, context)),
          templateId: inputId('Template', input.templateId, 'templateId'),
          parameters: input.parameters.map(toParameter),
          idempotencyKey: input.idempotencyKey,
        };
        return sendTemplate(context.db, actor, send, context.rulesOf(module));
      }),
  }),
);

builder.mutationField('startConversation', (t) =>
  t.field({
    type: SendMessagePayload,
    description:
      'Writes first, with a template, to a customer who may never have written. Where there is a conversation already, it goes on. Needs SEND_TEMPLATES, or a token with WRITE_MESSAGES; with READ_CONVERSATIONS it is also shown what was made.',
    args: { input: t.arg({ type: StartConversationInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload(async () => {
        const actor = requireRight(context.viewer, 'SEND_TEMPLATES', 'WRITE_MESSAGES');
        const module = await context.readModule.current();
        requireModule(module, 'ready');
        const businessNumberId = inputId('BusinessNumber', input.businessNumberId, 'businessNumberId');
        const { viewer } = context;
        const isVisible = viewer?.kind !== 'token' || (viewer.businessNumberIds?.has(businessNumberId) ?? true);
        if (!isVisible || !module.numbers.some(({ id }) => id === businessNumberId))
          throw new Failure(new NotFoundError('There is no such business number.', ['input', 'businessNumberId']));
        const start = {
          businessNumberId,
          phoneNumber: input.phoneNumber,
          templateId: inputId('Template', input.templateId, 'templateId'),
          parameters: input.parameters.map(toParameter),
          idempotencyKey: input.idempotencyKey,
        };
        return startConversation(context.db, actor, start, context.rulesOf(module));
      }),
  }),
);

function optionalId(type: string, global: string | null | undefined, field: string): string | null {
  return global ? inputId(type, global, field) : null;
}
