import { dashboardToken, demoNumbers, demoOperators, subjectOf } from './demo-data.ts';
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
    `  Dashboard token\n    ${dashboardToken(env)}`,
    '',
    ...(server.sandbox ? ['  A customer writes:', `    ${customerCurl(server.sandbox.url)}`, ''] : []),
    '  Then look:',
    `    curl -s ${server.url}${GRAPHQL_PATH} -H 'content-type: application/json' -H 'authorization: Bearer ${operatorToken}' -d '${JSON.stringify({ query })}'`,
    '',
    '  Or let `npm run demo` show it all.',
    '',
  ].join('\n');
}

function customerCurl(sandboxUrl: string): string {
  const message = {
    phoneNumberId: demoNumbers[0].phoneNumberId,
    from: '+420601123456',
    name: 'Jana Veselá',
    text: 'Dobrý den, kdy otevíráte?',
  };
  return `curl -s ${sandboxUrl}/sandbox/customer-message -H 'content-type: application/json' -d '${JSON.stringify(message)}'`;
}
