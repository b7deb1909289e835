import { pino } from 'pino';
import { SANDBOX_ACCESS_TOKEN, SANDBOX_ACCOUNT_ID } from '../../src/demo-data.ts';
import type { Sandbox } from '../../src/sandbox/options.ts';
import { startSandbox } from '../../src/sandbox/server.ts';
import { APP_SECRET, number1 } from './server.ts';

/** A Meta that outlives the servers that speak with it. */
export function startMeta(webhookUrl: () => string): Promise<Sandbox> {
  return startSandbox({
    webhookUrl,
    appSecret: APP_SECRET,
    accessToken: SANDBOX_ACCESS_TOKEN,
    businessAccountId: SANDBOX_ACCOUNT_ID,
    phoneNumbers: [{ id: number1.phoneNumberId, displayPhoneNumber: number1.phoneNumber, verifiedName: 'Test' }],
    delays: { sentMs: 50, deliveredMs: 150, readMs: 400 },
    retry: { maxRetries: 20, firstPauseMs: 100 },
    log: pino({ level: 'silent' }),
  });
}

/** What a server needs to know to speak with it. */
export function settingsOf(meta: Sandbox) {
  return { SANDBOX: 'off', META_API_URL: meta.url, META_ACCESS_TOKEN: SANDBOX_ACCESS_TOKEN } as const;
}
