import type { Database } from '../db/database.ts';
import { readSettings } from '../db/statements/settings.ts';
import type { Env } from '../env.ts';
import type { BusinessNumber, Settings } from '../generated/prisma/client.ts';
import type { Log } from '../log.ts';
import type { ChatModule, ReadModule } from './module.ts';
import { open, type Keyring } from './secrets.ts';
import { setupSteps } from './setup.ts';

const READ_MS = 500;

export function keyringOf(env: Env): Keyring {
  return env.encryptionKeyPrevious ? [env.encryptionKey, env.encryptionKeyPrevious] : [env.encryptionKey];
}

/** Reads the module again and again. While the database is away the last reading holds. */
export async function watchModule(db: Database, env: Env, log: Log): Promise<ReadModule & AsyncDisposable> {
  const listeners = new Set<(module: ChatModule, before: ChatModule) => void>();
  let held = await loadModule(db, env);
  let reading: Promise<void> | null = null;
  const timer = setInterval(() => void (reading ?? refresh().catch(noteAway)), READ_MS);

  return {
    present: () => held,
    current: () => Promise.resolve(held),
    refresh: () => refresh(),
    follow(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await reading?.catch(() => {});
    },
  };

  /** A reading that began before the call may not have seen the caller's change: another one follows it. */
  async function refresh(): Promise<void> {
    const before = reading;
    const mine = (async () => {
      await before?.catch(() => {});
      accept(await loadModule(db, env));
    })();
    reading = mine;
    try {
      await mine;
    } finally {
      if (reading === mine) reading = null;
    }
  }

  function accept(module: ChatModule): void {
    const before = held;
    held = module;
    if (JSON.stringify(before) === JSON.stringify(module)) return;
    for (const listener of listeners) listener(module, before);
  }

  function noteAway(error: unknown): void {
    log.debug({ err: error }, 'the settings could not be read; the last ones hold');
  }
}

async function loadModule(db: Database, env: Env): Promise<ChatModule> {
  const { settings, numbers } = await readSettings(db.pool);
  return openModule(env, settings, numbers);
}

/** A secret that no configured key opens counts as missing, and the set-up says so. */
function openModule(env: Env, settings: Settings, numbers: BusinessNumber[]): ChatModule {
  const keys = keyringOf(env);
  const unreadable: string[] = [];
  const opened = (column: string, sealed: string | null) => {
    if (sealed === null) return null;
    try {
      return open(keys, column, sealed);
    } catch {
      unreadable.push(column);
      return null;
    }
  };
  const secrets = {
    accessToken: opened('access_token', settings.accessTokenSealed) ?? env.metaAccessToken ?? null,
    webhookToken: opened('webhook_token', settings.webhookTokenSealed) ?? env.metaWebhookToken ?? null,
    appSecret: opened('app_secret', settings.appSecretSealed) ?? env.metaAppSecret ?? null,
  };
  const module = { licensed: env.chatLicensed, settings, numbers, secrets };
  return { ...module, setup: setupSteps(module, unreadable) };
}
