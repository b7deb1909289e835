import type { Database } from '../db/database.ts';
import { transaction } from '../db/transaction.ts';
import type { Log } from '../log.ts';
import { clearChannelProblems, openChannelProblem } from './channel-problems.ts';
import type { ChatModule, ReadModule } from './module.ts';
import { isUnreadable, type SetupProblem } from './setup.ts';

export const CHECK_MS = 15_000;

const PREFIX = 'secret:';
const LASTS_MS = 4 * CHECK_MS;

/**
 * Tells in log and health of secrets that this process cannot open, again and again: while keys are changed one process
 * can and another cannot, so that the problem ends by itself once none tells it.
 */
export function createSecretsCheck(options: { db: Database; readModule: ReadModule; log: Log }): () => Promise<void> {
  const { db, readModule, log } = options;
  let told = '';
  return async () => {
    const problems = unreadableSecrets(await readModule.current());
    const codes = problems.map(({ code }) => code).join(', ');
    if (codes === told && codes === '') return;
    if (codes !== told) for (const { message } of problems) log.error(message);
    await transaction(db, async (tx) => {
      if (problems.length === 0) await clearChannelProblems(tx, PREFIX);
      for (const { code, message } of problems)
        await openChannelProblem(tx, {
          key: `${PREFIX}${code}`,
          code,
          message,
          businessNumberId: null,
          providerCode: null,
          // Without it nothing can be sent anyway.
          stopsSending: false,
          expiresAt: new Date(tx.now.getTime() + LASTS_MS),
        });
    });
    told = codes;
  };
}

function unreadableSecrets({ setup }: ChatModule): SetupProblem[] {
  return setup.flatMap(({ problems }) => problems.filter(isUnreadable));
}
