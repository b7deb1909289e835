import { createHmac } from 'node:crypto';
import { dashboardToken, demoNumbers, demoOperators, SANDBOX_ACCOUNT_ID, subjectOf } from './demo-data.ts';
import type { Env } from './env.ts';
import type { RunningServer } from './server.ts';
import { signIn } from './sign-in.ts';
import { GRAPHQL_PATH } from './transport/http.ts';
import { WEBHOOK_PATH } from './webhooks/whatsapp.ts';

/** What a person who has just started a development server wants to try. */
export async function welcome(env: Env, server: RunningServer): Promise<string> {
  const tokens = await Promise.all(
    demoOperators.map(async ({ login }) => [login, await signIn(env, { subject: subjectOf(login), login })] as const),
  );
  const operatorToken = tokens[0]?.[1] ?? '';
  const query =
    '{ conversations(first: 5) { nodes { number participant { displayName } beacon { on } lastMessage { preview } } } }';
  return [
    '',
    `  GraphiQL   ${server.url}${GRAPHQL_PATH}   (put {"authorization": "Bearer <token>"} into its headers)`,
    `  Webhook    ${server.url}${WEBHOOK_PATH}   (verify token: ${env.metaWebhookToken}, app secret: ${env.metaAppSecret})`,
    `  Numbers    ${demoNumbers.map((number) => `${number.phoneNumber} (${number.phoneNumberId})`).join(', ')}`,
    ...(server.sandbox ? [`  Sandbox    ${server.sandbox.url}   plays WhatsApp: no real message is sent`] : []),
    '',
    ...tokens.map(([login, token]) => `  Operator ${login}\n    ${token}`),
    `  Dashboard token (URL=${server.url}${GRAPHQL_PATH} TOKEN=… npm run dashboard)\n    ${dashboardToken(env)}`,
    '',
    ...(server.sandbox
      ? ['  A customer writes:', `    ${customerCurl(server.sandbox.url)}`]
      : [
          '  A customer writes (signed as WhatsApp signs; a repeat changes nothing):',
          `    ${signedCurl(env, server.url)}`,
        ]),
    '',
    '  Then look:',
    `    curl -s ${server.url}${GRAPHQL_PATH} -H 'content-type: application/json' -H 'authorization: Bearer ${operatorToken}' -d '${JSON.stringify({ query })}'`,
    '',
    '  Or let `npm run demo` show it all.',
    '',
  ].join('\n');
}

function customerCurl(sandboxUrl: string): string {
  const message = { from: '+420601123456', name: 'Jana Vesela', text: 'Dobry den, kdy otevirate?' };
  return `curl -s ${sandboxUrl}/sandbox/customer-message -H 'content-type: application/json' -d '${JSON.stringify(message)}'`;
}

function signedCurl(env: Env, url: string): string {
  const message = {
    from: '420601123456',
    id: `wamid.try-${Date.now()}`,
    timestamp: String(Math.floor(Date.now() / 1000)),
    type: 'text',
    text: { body: 'Dobry den, kdy otevirate?' },
  };
  const value = {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: '420777000111', phone_number_id: demoNumbers[0].phoneNumberId },
    contacts: [{ profile: { name: 'Jana Vesela' }, wa_id: message.from }],
    messages: [message],
  };
  const body = JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: SANDBOX_ACCOUNT_ID, changes: [{ field: 'messages', value }] }],
  });
  const signature = createHmac('sha256', env.metaAppSecret ?? '')
    .update(body)
    .digest('hex');
  return `curl -s ${url}${WEBHOOK_PATH} -H 'x-hub-signature-256: sha256=${signature}' -d '${body}'`;
}
