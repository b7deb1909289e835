import type { Statement, Transaction } from '../transaction.ts';

export type Claim = { actor: string; key: string; operation: string; contentHash: string; resultId: string };

export type Claimed = { operation: string; contentHash: string; resultId: string; createdAt: Date };

const insert: Statement = {
  name: 'insert-idempotency-key',
  text: `INSERT INTO idempotency_key (actor, key, operation, content_hash, result_id, created_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (actor, key) DO NOTHING RETURNING key`,
};

/** False where the actor has used this key before. */
export async function insertIdempotencyKey(tx: Transaction, claim: Claim): Promise<boolean> {
  const { actor, key, operation, contentHash, resultId } = claim;
  const inserted = await tx.query(insert, [actor, key, operation, contentHash, resultId, tx.now]);
  return inserted.length > 0;
}

export async function findIdempotencyKey(tx: Transaction, actor: string, key: string): Promise<Claimed | null> {
  const [found] = await tx.query<Claimed>(
    `SELECT operation, content_hash AS "contentHash", result_id AS "resultId", created_at AS "createdAt"
     FROM idempotency_key WHERE actor = $1 AND key = $2`,
    [actor, key],
  );
  return found ?? null;
}
