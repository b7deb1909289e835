import { z } from 'zod';
import type { BusinessNumber, Settings } from '../generated/prisma/client.ts';

export const setupKeys = ['account', 'numbers', 'access'] as const;

export type SetupKey = (typeof setupKeys)[number];
export type SetupProblem = { code: string; message: string };

export type SetupStep = {
  key: SetupKey;
  /** Everything that the step asks for is there. */
  complete: boolean;
  /** What is missing, then what the last check of the connection found. */
  problems: SetupProblem[];
};

/** What the last check of the connection found, by step. */
export type Verification = Partial<Record<SetupKey, SetupProblem[]>>;

type Configured = {
  settings: Settings;
  numbers: BusinessNumber[];
  secrets: { accessToken: string | null; webhookToken: string | null; appSecret: string | null };
};

const problems = z
  .array(z.object({ code: z.string(), message: z.string() }))
  .optional()
  .catch(undefined);
const verification = z.object({ account: problems, numbers: problems, access: problems }).catch({});

/** What must be there before anything is sent, in the order in which the settings are gone through. */
export function setupSteps({ settings, numbers, secrets }: Configured, unreadable: readonly string[]): SetupStep[] {
  const found = verification.parse(settings.verification);
  const missing: Record<SetupKey, (SetupProblem | null)[]> = {
    account: [
      settings.whatsappBusinessAccountId === null
        ? problem('ACCOUNT_ID_MISSING', 'The WhatsApp business account ID is missing.')
        : null,
      missingSecret(secrets.accessToken, unreadable, 'access_token', 'access token'),
    ],
    numbers: [
      numbers.some((number) => number.slot === 1 && number.active)
        ? null
        : problem('PRIMARY_NUMBER_MISSING', 'The first business number is missing.'),
    ],
    access: [
      missingSecret(secrets.webhookToken, unreadable, 'webhook_token', 'webhook token'),
      missingSecret(secrets.appSecret, unreadable, 'app_secret', 'app secret'),
    ],
  };
  return setupKeys.map((key) => {
    const lacking = missing[key].filter((entry) => entry !== null);
    return { key, complete: lacking.length === 0, problems: [...lacking, ...(found[key] ?? [])] };
  });
}

const UNREADABLE = '_UNREADABLE';

export function isUnreadable({ code }: SetupProblem): boolean {
  return code.endsWith(UNREADABLE);
}

function missingSecret(
  secret: string | null,
  unreadable: readonly string[],
  column: string,
  name: string,
): SetupProblem | null {
  if (secret !== null) return null;
  if (unreadable.includes(column))
    return problem(
      `${column.toUpperCase()}${UNREADABLE}`,
      `The ${name} was sealed with another ENCRYPTION_KEY: set ENCRYPTION_KEY_PREVIOUS to that one, or enter the ${name} again.`,
    );
  return problem(`${column.toUpperCase()}_MISSING`, `The ${name} is missing.`);
}

function problem(code: string, message: string): SetupProblem {
  return { code, message };
}
