import { createHash } from 'node:crypto';
import type { Transaction } from '../db/transaction.ts';
import { Failure, IdempotencyConflictError, ValidationError } from '../errors.ts';

const MAX_KEY_LENGTH = 200;

/**
 * Claims a key for this actor and content, first in the transaction. Gives back the id of the first result where the
 * same content was sent before; refuses other content. A transaction that fails gives the key back.
 */
export async function claimKey(
  tx: Transaction,
  claim: { actor: string; key: string; operation: string; content: unknown; resultId: string },
): Promise<string | null> {
  if (claim.key.trim() === '' || claim.key.length > MAX_KEY_LENGTH) {
    throw new Failure(
      new ValidationError('KEY_LENGTH', `An idempotency key has 1 to ${MAX_KEY_LENGTH} characters.`, [
        'input',
        'idempotencyKey',
      ]),
    );
  }
  const contentHash = createHash('sha256').update(JSON.stringify(claim.content)).digest('hex');
  const inserted = await tx.query(
    `INSERT INTO idempotency_key (actor, key, operation, content_hash, result_id, created_at)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (actor, key) DO NOTHING RETURNING key`,
    [claim.actor, claim.key, claim.operation, contentHash, claim.resultId, tx.now],
  );
  if (inserted.length > 0) return null;
  const [first] = await tx.query<{ operation: string; content_hash: string; result_id: string; created_at: Date }>(
    'SELECT operation, content_hash, result_id, created_at FROM idempotency_key WHERE actor = $1 AND key = $2',
    [claim.actor, claim.key],
  );
  if (!first) throw new Error('an idempotency key vanished while it was read');
  if (first.operation === claim.operation && first.content_hash === contentHash) return first.result_id;
  throw new Failure(new IdempotencyConflictError(first.created_at));
}
