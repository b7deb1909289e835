import type { Database } from '../db/database.ts';
import { saveToldNumber, saveVerification, type ToldNumber } from '../db/statements/settings.ts';
import { addTemplateSyncJob } from '../db/statements/jobs.ts';
import { transaction, type Transaction } from '../db/transaction.ts';
import { Failure, ModuleUnavailableError } from '../errors.ts';
import type { Actor } from './actor.ts';
import { recordAudit } from './audit.ts';
import { clearChannelProblems } from './channel-problems.ts';
import type { ChatModule } from './module.ts';
import type { Verification } from './setup.ts';

/** What Meta says of the settings. */
export type ConnectionReport = {
  problems: Verification;
  numbers: ToldNumber[];
};

/** Asks Meta; rejects with a ProviderError where Meta cannot be asked now. */
export type CheckConnection = (connection: Connection) => Promise<ConnectionReport>;

export type Connection = {
  accessToken: string;
  businessAccountId: string;
  numbers: { phoneNumberId: string; phoneNumber: string }[];
};

/** What is needed to ask Meta at all. */
export function connectionOf({ settings, secrets, numbers, setup }: ChatModule): Connection {
  const { whatsappBusinessAccountId: businessAccountId } = settings;
  const { accessToken } = secrets;
  if (businessAccountId !== null && accessToken !== null)
    return { businessAccountId, accessToken, numbers: numbers.filter((number) => number.active) };
  const missing = setup.filter((step) => step.key === 'account').map((step) => step.key);
  const message = 'Without the account ID and the access token there is nothing to check.';
  throw new Failure(new ModuleUnavailableError('MODULE_INCOMPLETE', message, missing));
}

/** Keeps what was found, so that the set-up shows it to everybody until it is checked again. */
export async function recordVerification(db: Database, actor: Actor, report: ConnectionReport): Promise<void> {
  await transaction(db, async (tx) => {
    await saveVerification(tx, report.problems);
    for (const number of report.numbers) await noteNumber(tx, number);
    const codes = Object.values(report.problems).flatMap((problems) => problems.map(({ code }) => code));
    if (codes.length === 0) await resume(tx);
    await recordAudit(tx, actor, { action: 'CONNECTION_CHECKED', detail: codes.join(', ') || 'no problem' });
  });
}

/** Meta does not always say by a webhook that a bad rating has become a better one. */
async function noteNumber(tx: Transaction, number: ToldNumber): Promise<void> {
  saveToldNumber(tx, number);
  if (number.qualityRating === 'GREEN' || number.qualityRating === 'YELLOW')
    await clearChannelProblems(tx, `account:quality:${number.phoneNumber.slice(1)}`);
}

/** What stopped the sending is over: the queue goes out within seconds. The account may be another one, with other templates. */
async function resume(tx: Transaction): Promise<void> {
  await clearChannelProblems(tx, 'send:');
  await addTemplateSyncJob(tx);
}
