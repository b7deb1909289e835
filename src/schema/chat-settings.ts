import { builder } from './builder.ts';
import { BusinessNumber } from './business-number.ts';
import { findableOnce } from './node.ts';
import type { ChatModule } from '../services/module.ts';

type Secret = { isSet: boolean; hint: string | null; setAt: Date | null };

const SecretInfo = builder.objectRef<Secret>('SecretInfo').implement({
  description: 'Secrets can be written, never read.',
  fields: (t) => ({
    isSet: t.exposeBoolean('isSet', { description: 'Also true where the environment of the server gives it.' }),
    hint: t.exposeString('hint', {
      nullable: true,
      description: 'Its last four characters; null for a short one and for one from the environment.',
    }),
    setAt: t.expose('setAt', { type: 'DateTime', nullable: true, description: 'When it was entered here.' }),
  }),
});

export const ChatSettings = builder.node(builder.objectRef<ChatModule>('ChatSettings'), {
  id: { resolve: () => '1' },
  description: "The organisation's settings of the module. Needs MANAGE_SETTINGS.",
  authScopes: { permission: 'MANAGE_SETTINGS' },
  runScopesOnType: true,
  fields: (t) => ({
    whatsappBusinessAccountId: t.field({
      type: 'MetaId',
      nullable: true,
      resolve: ({ settings }) => settings.whatsappBusinessAccountId,
    }),
    accessToken: t.field({ type: SecretInfo, resolve: (module) => secretOf(module, 'accessToken') }),
    webhookToken: t.field({
      type: SecretInfo,
      description: "The token of the webhook's handshake.",
      resolve: (module) => secretOf(module, 'webhookToken'),
    }),
    appSecret: t.field({
      type: SecretInfo,
      description: 'Proves that a webhook comes from Meta.',
      resolve: (module) => secretOf(module, 'appSecret'),
    }),
    webhookUrl: t.string({
      description: 'What is entered as the callback URL at Meta.',
      resolve: (_module, _args, { webhookUrl }) => webhookUrl(),
    }),
    businessNumbers: t.field({
      type: [BusinessNumber],
      description: 'The two slots first, then the numbers that were replaced.',
      resolve: ({ numbers }) => numbers,
    }),
    timeZone: t.field({
      type: 'TimeZone',
      description: 'Zone of the organisation: where its days begin.',
      resolve: ({ settings }) => settings.timeZone,
    }),
    windowWarningMinutes: t.int({
      description: 'So long before the 24-hour window closes it is EXPIRING_SOON.',
      resolve: ({ settings }) => settings.windowWarningMinutes,
    }),
    version: t.int({ description: 'For expectedVersion.', resolve: ({ settings }) => settings.version }),
    lastVerifiedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the connection was checked last.',
      resolve: ({ settings }) => settings.lastVerifiedAt,
    }),
    lastWebhookAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When a webhook arrived last, to within seconds; null while none came.',
      resolve: ({ settings }) => settings.lastWebhookAt,
    }),
  }),
});

findableOnce('ChatSettings', { permission: 'MANAGE_SETTINGS' }, ({ readModule }) =>
  shownSettings(readModule.present()),
);

/** The settings appear with the switch. */
export function shownSettings(module: ChatModule): ChatModule | null {
  return module.licensed && module.settings.enabled ? module : null;
}

function secretOf({ settings, secrets }: ChatModule, name: keyof ChatModule['secrets']): Secret {
  return { isSet: secrets[name] !== null, hint: settings[`${name}Hint`], setAt: settings[`${name}SetAt`] };
}
