import { hasScope } from '../auth.ts';
import type { Context } from '../context.ts';
import type { TemplatePart } from '../services/templates/parts.ts';
import { suggestValue } from '../services/templates/suggestions.ts';
import type { TemplateVariable as VariableShape } from '../services/templates/variables.ts';
import { builder } from './builder.ts';
import { maySee } from './visibility.ts';
import { argumentId } from './global-id.ts';
import { TemplateComponentType, TemplateValueType } from './template-parts.ts';

/** A variable with the template around it, which tells what it probably means. */
export type VariableOf = VariableShape & { parts: TemplatePart[]; language: string };

export const TemplateVariable = builder.objectRef<VariableOf>('TemplateVariable').implement({
  description: 'A value that a send gives to a template.',
  fields: (t) => ({
    key: t.exposeString('key', {
      description:
        'Addresses the value: body.1, body.first_name, header.1, header.media, header.location, button.0.1, card.0.body.1. Buttons and cards count from 0.',
    }),
    name: t.exposeString('name', {
      description: 'The placeholder, or what the value is (media, location, payload …).',
    }),
    component: t.expose('component', { type: TemplateComponentType }),
    buttonIndex: t.exposeInt('buttonIndex', { nullable: true }),
    type: t.expose('type', { type: TemplateValueType }),
    required: t.exposeBoolean('required'),
    example: t.exposeString('example', { nullable: true, description: 'As it was given to Meta for approval.' }),
    suggestedValue: t.string({
      nullable: true,
      description:
        "The customer's name or number, or today's date in the organisation's time zone. Null where nothing is known, and without READ_CONTACT_DATA.",
      args: { conversationId: t.arg.id({ required: true }) },
      resolve: (variable, { conversationId }, context) =>
        suggestion(variable, argumentId('Conversation', conversationId, 'conversationId'), context),
    }),
  }),
});

async function suggestion(variable: VariableOf, conversationId: string, context: Context): Promise<string | null> {
  const { viewer, loaders, readModule } = context;
  const conversation = await loaders.conversation.load(conversationId);
  if (!conversation || !maySee(viewer, conversation) || !hasScope(viewer, 'READ_CONTACT_DATA')) return null;
  const participant = await loaders.participant.load(conversation.participantId);
  const { timeZone } = (await readModule.current()).settings;
  return suggestValue(variable, variable.parts, {
    profileName: participant?.profileName ?? null,
    phoneNumber: participant?.phoneNumber ?? null,
    language: variable.language,
    timeZone,
    now: new Date(),
  });
}
