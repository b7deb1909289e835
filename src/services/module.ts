import type { Database } from '../db/database.ts';
import type { Env } from '../env.ts';
import { Failure, ModuleUnavailableError } from '../errors.ts';
import type { BusinessNumber, Settings } from '../generated/prisma/client.ts';
import { open, type Keyring } from './secrets.ts';

/** The module as this deployment has it now: licence, switch, settings, numbers. Secrets are open; nothing shows them. */
export type ChatModule = {
  licensed: boolean;
  settings: Settings;
  numbers: BusinessNumber[];
  secrets: { accessToken: string | null; webhookToken: string | null; appSecret: string | null };
  setup: SetupStep[];
};

export type SetupStep = {
  key: 'account' | 'numbers' | 'access';
  complete: boolean;
  problems: { code: string; message: string }[];
};

/** Reads the module, at most once a second per process, so that a change made elsewhere counts within a second. */
export type ReadModule = { current(): Promise<ChatModule>; forget(): void };

const FRESH_MS = 500;

export function createReadModule(db: Database, env: Env): ReadModule {
  let held: { until: number; module: Promise<ChatModule> } | null = null;
  return {
    current() {
      if (held && Date.now() < held.until) return held.module;
      const module = loadModule(db, env);
      held = { until: Date.now() + FRESH_MS, module };
      // A failed read must not be remembered; whoever asked is told by the promise itself.
      module.catch(() => (held = null));
      return module;
    },
    forget() {
      held = null;
    },
  };
}

export function keyringOf(env: Env): Keyring {
  return env.encryptionKeyPrevious ? [env.encryptionKey, env.encryptionKeyPrevious] : [env.encryptionKey];
}

async function loadModule(db: Database, env: Env): Promise<ChatModule> {
  const [settings, numbers] = await Promise.all([
    db.prisma.settings.findUniqueOrThrow({ where: { id: 1 } }),
    db.prisma.businessNumber.findMany({ orderBy: [{ slot: 'asc' }, { id: 'asc' }] }),
  ]);
  const keys = keyringOf(env);
  const opened = (column: string, sealed: string | null) => (sealed ? open(keys, column, sealed) : null);
  const secrets = {
    accessToken: opened('access_token', settings.accessTokenSealed) ?? env.metaAccessToken ?? null,
    webhookToken: opened('webhook_token', settings.webhookTokenSealed) ?? env.metaWebhookToken ?? null,
    appSecret: opened('app_secret', settings.appSecretSealed) ?? env.metaAppSecret ?? null,
  };
  const module = { licensed: env.chatLicensed, settings, numbers, secrets };
  return { ...module, setup: setupSteps(module) };
}

/** What must be there before anything is sent, in the order in which the settings are gone through. */
function setupSteps({ settings, numbers, secrets }: Omit<ChatModule, 'setup'>): SetupStep[] {
  const isPrimarySet = numbers.some((number) => number.slot === 1 && number.active);
  return [
    step('account', [
      [
        settings.whatsappBusinessAccountId !== null,
        'ACCOUNT_ID_MISSING',
        'The WhatsApp business account ID is missing.',
      ],
      [secrets.accessToken !== null, 'ACCESS_TOKEN_MISSING', 'The access token is missing.'],
    ]),
    step('numbers', [[isPrimarySet, 'PRIMARY_NUMBER_MISSING', 'The first business number is missing.']]),
    step('access', [
      [secrets.webhookToken !== null, 'WEBHOOK_TOKEN_MISSING', 'The webhook token is missing.'],
      [
        secrets.appSecret !== null,
        'APP_SECRET_MISSING',
        'The app secret is missing: without it webhooks cannot be trusted.',
      ],
    ]),
  ];
}

function step(key: SetupStep['key'], checks: [ok: boolean, code: string, message: string][]): SetupStep {
  const problems = checks.filter(([ok]) => !ok).map(([, code, message]) => ({ code, message }));
  return { key, complete: problems.length === 0, problems };
}

export function isReady(module: ChatModule): boolean {
  return module.setup.every((entry) => entry.complete);
}

/** Refuses a change while the module cannot work; sending also needs every setup step. */
export function requireModule(module: ChatModule, needs: 'enabled' | 'ready'): void {
  if (!module.licensed)
    throw new Failure(
      new ModuleUnavailableError('MODULE_NOT_LICENSED', 'The licence does not contain the chat module.'),
    );
  if (!module.settings.enabled)
    throw new Failure(new ModuleUnavailableError('MODULE_DISABLED', 'The chat module is switched off.'));
  if (needs === 'enabled' || isReady(module)) return;
  const missing = module.setup.filter((entry) => !entry.complete).map((entry) => entry.key);
  throw new Failure(
    new ModuleUnavailableError('MODULE_INCOMPLETE', 'The set-up of the chat module is not complete.', missing),
  );
}
