import type { UserError as UserErrorShape } from '../errors.ts';
import { connectionOf, recordVerification } from '../services/connection.ts';
import { requireModule } from '../services/module.ts';
import { keyringOf } from '../services/module-watch.ts';
import { setModuleEnabled, updateChatSettings } from '../services/settings.ts';
import { builder } from './builder.ts';
import { ChatModule } from './module.ts';
import { requireRight } from './rights.ts';
import { payload, UserError } from './user-error.ts';

const ChatModulePayload = builder.objectRef<{ errors: UserErrorShape[] }>('ChatModulePayload').implement({
  fields: (t) => ({
    chatModule: t.field({
      type: ChatModule,
      nullable: true,
      resolve: ({ errors }, _args, { readModule }) => (errors.length > 0 ? null : readModule.present()),
    }),
    errors: t.field({ type: [UserError], resolve: ({ errors }) => errors }),
  }),
});

const SetChatModuleEnabledInput = builder.inputType('SetChatModuleEnabledInput', {
  fields: (t) => ({ enabled: t.boolean({ required: true }) }),
});

const BusinessNumberInput = builder.inputType('BusinessNumberInput', {
  description: 'A number and its ID; neither goes without the other.',
  fields: (t) => ({
    phoneNumberId: t.field({ type: 'MetaId', required: true }),
    phoneNumber: t.field({ type: 'PhoneNumber', required: true, description: 'With + and the country code.' }),
  }),
});

const UpdateChatSettingsInput = builder.inputType('UpdateChatSettingsInput', {
  description: 'Left out: unchanged; null: cleared, where that is allowed.',
  fields: (t) => ({
    expectedVersion: t.int({ required: true, description: 'Another version is refused with StaleStateError.' }),
    whatsappBusinessAccountId: t.field({ type: 'MetaId' }),
    accessToken: t.string({ description: 'Kept sealed; it can never be read again.' }),
    webhookToken: t.string({ description: 'At least 16 characters. Kept sealed.' }),
    appSecret: t.string({ description: 'Kept sealed.' }),
    primaryNumber: t.field({ type: BusinessNumberInput, description: 'Cannot be null: replace it.' }),
    secondaryNumber: t.field({
      type: BusinessNumberInput,
      description:
        'Null takes it away; where conversations use it, it stays as an inactive one. Both at once may change places.',
    }),
    timeZone: t.field({ type: 'TimeZone' }),
    windowWarningMinutes: t.int({ description: '1 to 1439.' }),
  }),
});

builder.mutationField('setChatModuleEnabled', (t) =>
  t.field({
    type: ChatModulePayload,
    description:
      'Switches the module on or off. While it is off nothing is sent, subscriptions end, and webhooks wait to be applied. Safe to repeat. Needs MANAGE_SETTINGS.',
    args: { input: t.arg({ type: SetChatModuleEnabledInput, required: true }) },
    resolve: (_root, { input }, { viewer, readModule, db }) =>
      payload(async () => {
        const actor = requireRight(viewer, 'MANAGE_SETTINGS', null);
        requireModule(readModule.present(), 'licensed');
        await setModuleEnabled(db, actor, input.enabled);
        await readModule.refresh();
        return {};
      }),
  }),
);

builder.mutationField('updateChatSettings', (t) =>
  t.field({
    type: ChatModulePayload,
    description: 'Saves settings. Everything that is wrong is told at once, each with its path. Needs MANAGE_SETTINGS.',
    args: { input: t.arg({ type: UpdateChatSettingsInput, required: true }) },
    resolve: (_root, { input }, { viewer, readModule, db, env }) =>
      payload(async () => {
        const actor = requireRight(viewer, 'MANAGE_SETTINGS', null);
        requireModule(readModule.present(), 'licensed');
        await updateChatSettings(db, actor, input, { keys: keyringOf(env), metaId: env.metaIdPattern });
        await readModule.refresh();
        return {};
      }),
  }),
);

builder.mutationField('verifyChatConnection', (t) =>
  t.field({
    type: ChatModulePayload,
    description:
      'Asks WhatsApp about the access token, the account, each number and the subscription of the webhook. What it finds stands in the setup steps. Needs MANAGE_SETTINGS.',
    resolve: (_root, _args, { viewer, readModule, db, checkConnection }) =>
      payload(async () => {
        const actor = requireRight(viewer, 'MANAGE_SETTINGS', null);
        const module = await readModule.current();
        requireModule(module, 'licensed');
        await recordVerification(db, actor, await checkConnection(connectionOf(module)));
        await readModule.refresh();
        return {};
      }),
  }),
);
