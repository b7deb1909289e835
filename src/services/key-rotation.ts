import type { Database } from '../db/database.ts';
import { transaction, type Transaction } from '../db/transaction.ts';
import { COMMAND, recordAudit } from './audit.ts';
import { isSealedWithOldKey, open, seal, type Keyring } from './secrets.ts';

const COLUMNS = ['access_token', 'webhook_token', 'app_secret'] as const;

/** Seals with the present key what an earlier one sealed; the earlier key may be forgotten afterwards. */
export function resealSecrets(db: Database, keys: Keyring): Promise<string[]> {
  return transaction(db, async (tx) => {
    const resealed: string[] = [];
    for (const column of COLUMNS) if (await reseal(tx, keys, column)) resealed.push(column);
    if (resealed.length > 0)
      await recordAudit(tx, COMMAND, { action: 'SECRETS_RESEALED', detail: resealed.join(', ') });
    return resealed;
  });
}

async function reseal(tx: Transaction, keys: Keyring, column: (typeof COLUMNS)[number]): Promise<boolean> {
  const [row] = await tx.query<{ sealed: string | null }>(
    `SELECT ${column}_sealed AS sealed FROM settings WHERE id = 1 FOR UPDATE`,
  );
  if (!row?.sealed || !isSealedWithOldKey(keys, row.sealed)) return false;
  await tx.query(`UPDATE settings SET ${column}_sealed = $1 WHERE id = 1`, [
    seal(keys, column, open(keys, column, row.sealed)),
  ]);
  return true;
}
