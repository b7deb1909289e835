import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import pretty from 'pino-pretty';
import { demoNumbers, SANDBOX_ACCESS_TOKEN, SANDBOX_ACCOUNT_ID } from '../src/demo-data.ts';
import type { Sandbox, SandboxNumber } from '../src/sandbox/options.ts';
import { startSandbox } from '../src/sandbox/server.ts';

const usage = `Plays WhatsApp for a server on this machine.

  npm run sandbox -- [--port 4010] [--host 127.0.0.1] [--seed 1]
                     [--webhook-url http://localhost:4000/webhooks/whatsapp] [--app-secret SECRET]
                     [--access-token TOKEN] [--business-account-id ID]
                     [--phone-number-id ID --phone-number '+420 777 000 111']

Without the last three lines it has the account, the numbers and the token of the demo data.`;

const { values: flags } = parseArgs({
  options: {
    port: { type: 'string', default: '4010' },
    host: { type: 'string', default: '127.0.0.1' },
    seed: { type: 'string' },
    'webhook-url': { type: 'string', default: 'http://localhost:4000/webhooks/whatsapp' },
    'app-secret': { type: 'string' },
    'access-token': { type: 'string', default: SANDBOX_ACCESS_TOKEN },
    'business-account-id': { type: 'string', default: SANDBOX_ACCOUNT_ID },
    'phone-number-id': { type: 'string' },
    'phone-number': { type: 'string', default: '+420 777 000 111' },
    help: { type: 'boolean', default: false },
  },
});

if (flags.help) console.log(usage);
else await run().catch(explain);

async function run(): Promise<void> {
  const appSecret = flags['app-secret'] ?? randomBytes(16).toString('hex');
  const sandbox = await startSandbox({
    port: Number(flags.port),
    host: flags.host,
    webhookUrl: flags['webhook-url'],
    appSecret,
    accessToken: flags['access-token'],
    businessAccountId: flags['business-account-id'],
    phoneNumbers: phoneNumbers(),
    retry: { maxRetries: 10, firstPauseMs: 1_000 },
    log: pino({ level: 'debug', base: null }, pretty({ sync: true })),
    ...(flags.seed === undefined ? {} : { seed: Number(flags.seed) }),
  });
  console.log(instructions(sandbox, appSecret));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void sandbox[Symbol.asyncDispose]());
  }
}

function explain(error: NodeJS.ErrnoException): void {
  const isTaken = error.code === 'EADDRINUSE';
  console.error(isTaken ? `Port ${flags.port} is in use: stop what listens there, or give another --port.` : error);
  process.exitCode = 1;
}

function phoneNumbers(): SandboxNumber[] {
  const id = flags['phone-number-id'];
  if (id !== undefined) return [{ id, displayPhoneNumber: flags['phone-number'], verifiedName: 'Sandbox' }];
  return demoNumbers.map(({ phoneNumberId, phoneNumber, displayName }) => ({
    id: phoneNumberId,
    displayPhoneNumber: phoneNumber,
    verifiedName: displayName,
  }));
}

function instructions(sandbox: Sandbox, appSecret: string): string {
  return `The sandbox plays WhatsApp at ${sandbox.url}
Webhooks go to ${flags['webhook-url']} (--webhook-url)

Start the server with
  SANDBOX=off META_API_URL=${sandbox.url} META_APP_SECRET=${appSecret} npm start
Its demo data name the same account, numbers and token. A server with settings of its own needs there
  access token ${sandbox.accessToken}, account ${sandbox.businessAccountId}, numbers ${sandbox
    .phoneNumbers()
    .map(({ id }) => id)
    .join(', ')}

Let a customer write:
  curl ${sandbox.url}/sandbox/customer-message -H 'content-type: application/json' \\
    -d '{"from":"+420601123456","name":"Jana","text":"Dobrý den"}'
Everything else: src/sandbox/README.md`;
}
