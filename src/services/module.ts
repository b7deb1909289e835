import { Failure, ModuleUnavailableError } from '../errors.ts';
import type { BusinessNumber, Settings } from '../generated/prisma/client.ts';
import type { SetupStep } from './setup.ts';

/** The module as this deployment has it now: licence, switch, settings, numbers. Secrets are open; nothing shows them. */
export type ChatModule = {
  licensed: boolean;
  settings: Settings;
  numbers: BusinessNumber[];
  secrets: { accessToken: string | null; webhookToken: string | null; appSecret: string | null };
  setup: SetupStep[];
};

/** The module as this process knows it: read twice a second, so that a change made elsewhere counts within a second. */
export type ReadModule = {
  /** As it was read last; without waiting. */
  present(): ChatModule;
  current(): Promise<ChatModule>;
  /** Reads it now: for the process that has just changed it. */
  refresh(): Promise<void>;
  /** Told whenever what was read differs from before. */
  follow(listener: (module: ChatModule, before: ChatModule) => void): () => void;
};

export function isReady(module: ChatModule): boolean {
  return module.setup.every((entry) => entry.complete);
}

/** Refuses a change while the module cannot work; administration needs the licence only, sending every setup step. */
export function requireModule(module: ChatModule, needs: 'licensed' | 'enabled' | 'ready'): void {
  if (!module.licensed)
    throw new Failure(
      new ModuleUnavailableError('MODULE_NOT_LICENSED', 'The licence does not contain the chat module.'),
    );
  if (needs === 'licensed') return;
  if (!module.settings.enabled)
    throw new Failure(new ModuleUnavailableError('MODULE_DISABLED', 'The chat module is switched off.'));
  if (needs === 'enabled' || isReady(module)) return;
  const missing = module.setup.filter((entry) => !entry.complete).map((entry) => entry.key);
  throw new Failure(
    new ModuleUnavailableError('MODULE_INCOMPLETE', 'The set-up of the chat module is not complete.', missing),
  );
}
