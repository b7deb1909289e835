import { SANDBOX_ACCESS_TOKEN, SANDBOX_ACCOUNT_ID } from './demo-data.ts';
import type { Env } from './env.ts';
import type { Log } from './log.ts';
import { startSandbox } from './sandbox/server.ts';
import type { Sandbox } from './sandbox/options.ts';
import type { ReadModule } from './services/module.ts';

/**
 * Plays Meta where no real access token is configured, so that a server works without an account. The numbers are
 * those of the settings; webhooks come back to this very process.
 */
export async function startOwnSandbox(options: {
  env: Env;
  readModule: ReadModule;
  webhookUrl: () => string;
  log: Log;
}): Promise<Sandbox | null> {
  const { env, readModule, webhookUrl, log } = options;
  const { secrets, numbers } = await readModule.current();
  const isReal = secrets.accessToken !== null && secrets.accessToken !== SANDBOX_ACCESS_TOKEN;
  if (env.sandbox === 'off' || (env.sandbox === 'auto' && (isReal || env.nodeEnv === 'production'))) return null;
  return startSandbox({
    webhookUrl,
    appSecret: () => readModule.present().secrets.appSecret ?? '',
    accessToken: secrets.accessToken ?? SANDBOX_ACCESS_TOKEN,
    businessAccountId: SANDBOX_ACCOUNT_ID,
    phoneNumbers: numbers.map((number) => ({
      id: number.phoneNumberId,
      displayPhoneNumber: number.phoneNumber,
      verifiedName: number.displayName ?? number.phoneNumber,
    })),
    log,
  });
}
