import { Failure, ProviderError } from './errors.ts';
import type { PhoneNumber } from './meta/account.ts';
import type { MetaClient } from './meta/client.ts';
import type { CallOutcome, Failed } from './meta/outcome.ts';
import type { CheckConnection, Connection, ConnectionReport } from './services/connection.ts';
import { comparisonKey } from './services/phone-numbers.ts';
import type { SetupProblem } from './services/setup.ts';

const TOKEN_CODES: ReadonlySet<number | null> = new Set([0, 190]);

/** Asks Meta step by step: the token with the account, each number, the subscription of the webhook. */
export function createConnectionCheck(meta: MetaClient): CheckConnection {
  return async (connection) => {
    const account = await accountProblems(meta, connection);
    // With a token that Meta refuses every other answer would be the same refusal.
    if (account.some(({ code }) => code === 'ACCESS_TOKEN_REJECTED')) return { problems: { account }, numbers: [] };
    const [numbers, access] = await Promise.all([
      Promise.all(connection.numbers.map((number) => askNumber(meta, connection, number))),
      webhookProblems(meta, connection),
    ]);
    return {
      problems: { account, numbers: numbers.flatMap(({ problems }) => problems), access },
      numbers: numbers.flatMap(({ told }) => told ?? []),
    };
  };
}

async function accountProblems(meta: MetaClient, connection: Connection): Promise<SetupProblem[]> {
  const outcome = await meta.getBusinessAccount(connection.businessAccountId, connection.accessToken);
  if (answered(outcome)) return [];
  return [
    refusal(outcome, {
      code: 'ACCOUNT_NOT_FOUND',
      message: 'The access token does not reach this WhatsApp business account.',
    }),
  ];
}

type Asked = { problems: SetupProblem[]; told: ConnectionReport['numbers'][number] | null };

async function askNumber(
  meta: MetaClient,
  { accessToken }: Connection,
  { phoneNumberId, phoneNumber }: Connection['numbers'][number],
): Promise<Asked> {
  const outcome = await meta.getPhoneNumber(phoneNumberId, accessToken);
  if (answered(outcome)) {
    const { verifiedName: displayName, qualityRating } = outcome.value;
    const problems = numberProblems(phoneNumber, outcome.value);
    return { problems, told: { phoneNumber, displayName, qualityRating } };
  }
  const unknown = {
    code: 'NUMBER_NOT_FOUND',
    message: `The access token does not reach the number with the ID ${phoneNumberId}.`,
  };
  return { problems: [refusal(outcome, unknown)], told: null };
}

function numberProblems(phoneNumber: string, found: PhoneNumber): SetupProblem[] {
  const problems: SetupProblem[] = [];
  const told = found.displayPhoneNumber;
  if (told !== null && comparisonKey(digitsOf(told)) !== comparisonKey(digitsOf(phoneNumber)))
    problems.push({ code: 'NUMBER_DIFFERS', message: `WhatsApp knows the ID of ${phoneNumber} as ${told}.` });
  if (found.canSendMessage === 'BLOCKED')
    problems.push({ code: 'NUMBER_BLOCKED', message: `WhatsApp does not let ${phoneNumber} send messages.` });
  return problems;
}

async function webhookProblems(meta: MetaClient, connection: Connection): Promise<SetupProblem[]> {
  const outcome = await meta.subscribedApps(connection.businessAccountId, connection.accessToken);
  const silent = {
    code: 'WEBHOOK_NOT_SUBSCRIBED',
    message: 'No app is subscribed to the webhooks of this account: messages would never arrive.',
  };
  if (!answered(outcome)) return [refusal(outcome, { ...silent, message: 'The subscription cannot be read.' })];
  return outcome.value.length === 0 ? [silent] : [];
}

/** Whether Meta gave what it was asked for. A moment of trouble says nothing about the settings and is told as such. */
function answered<T>(outcome: CallOutcome<T>): outcome is Extract<CallOutcome<T>, { kind: 'ok' }> {
  if (outcome.kind !== 'temporary') return outcome.kind === 'ok';
  const { title, code, traceId } = outcome.error;
  throw new Failure(new ProviderError(`WhatsApp cannot be asked now: ${title}`, { code, traceId, retryable: true }));
}

function refusal(outcome: Failed, otherwise: SetupProblem): SetupProblem {
  if (!TOKEN_CODES.has(outcome.error.code)) return otherwise;
  return { code: 'ACCESS_TOKEN_REJECTED', message: 'WhatsApp does not accept the access token.' };
}

function digitsOf(text: string): string {
  return text.replace(/\D/g, '');
}
