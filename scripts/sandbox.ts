import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import pretty from 'pino-pretty';
import type { Sandbox } from '../src/sandbox/options.ts';
import { startSandbox } from '../src/sandbox/server.ts';

const usage = `Plays WhatsApp for a server on this machine.

  npm run sandbox -- [--port 4010] [--host 127.0.0.1] [--seed 1]
                     [--webhook-url http://localhost:4000/webhooks/whatsapp] [--app-secret SECRET]
                     [--business-account-id ID] [--phone-number-id ID] [--phone-number '+420 777 000 111']`;

const { values: flags } = parseArgs({
  options: {
    port: { type: 'string', default: '4010' },
    host: { type: 'string', default: '127.0.0.1' },
    seed: { type: 'string' },
    'webhook-url': { type: 'string', default: 'http://localhost:4000/webhooks/whatsapp' },
    'app-secret': { type: 'string' },
    'business-account-id': { type: 'string', default: '100000000000001' },
    'phone-number-id': { type: 'string', default: '100000000000011' },
    'phone-number': { type: 'string', default: '+420 777 000 111' },
    help: { type: 'boolean', default: false },
  },
});

if (flags.help) console.log(usage);
else await run();

async function run(): Promise<void> {
  const appSecret = flags['app-secret'] ?? randomBytes(16).toString('hex');
  const sandbox = await startSandbox({
    port: Number(flags.port),
    host: flags.host,
    webhookUrl: flags['webhook-url'],
    appSecret,
    businessAccountId: flags['business-account-id'],
    phoneNumbers: [
      {
        id: flags['phone-number-id'],
        displayPhoneNumber: flags['phone-number'],
        verifiedName: 'Sandbox',
      },
    ],
    retry: { maxRetries: 10, firstPauseMs: 1_000 },
    log: pino({ level: 'debug', base: null }, pretty({ sync: true })),
    ...(flags.seed === undefined ? {} : { seed: Number(flags.seed) }),
  });
  console.log(instructions(sandbox, appSecret));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void sandbox[Symbol.asyncDispose]());
  }
}

function instructions(sandbox: Sandbox, appSecret: string): string {
  return `The sandbox plays WhatsApp at ${sandbox.url}

Start the server with
  META_API_URL=${sandbox.url} META_APP_SECRET=${appSecret} META_ACCESS_TOKEN=${sandbox.accessToken} npm start
and enter in its settings
  WhatsApp business account ID  ${sandbox.businessAccountId}
  ID of the phone number        ${sandbox
    .phoneNumbers()
    .map(({ id }) => id)
    .join(', ')}

Let a customer write:
  curl ${sandbox.url}/sandbox/customer-message -H 'content-type: application/json' \\
    -d '{"from":"+420601123456","name":"Jana","text":"Dobrý den"}'
Everything else: src/sandbox/README.md`;
}
