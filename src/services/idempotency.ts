import { createHash } from 'node:crypto';
import { findIdempotencyKey, insertIdempotencyKey } from '../db/statements/idempotency-keys.ts';
import type { Transaction } from '../db/transaction.ts';
import { Failure, IdempotencyConflictError, ValidationError } from '../errors.ts';

const MAX_KEY_LENGTH = 200;

/** The conversation that is meant now, and the one that the client named: it may have been merged into the other since. */
export type NamedConversation = { conversationId: string; namedConversationId: string };

/** The content as the client sent it, so that a repeat is one after a merge, too. */
export function asNamed<Content extends NamedConversation>({
  conversationId: _present,
  namedConversationId,
  ...rest
}: Content): Omit<Content, keyof NamedConversation> & { conversationId: string } {
  return { conversationId: namedConversationId, ...rest };
}

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
  const { actor, key, operation, resultId } = claim;
  if (await insertIdempotencyKey(tx, { actor, key, operation, contentHash, resultId })) return null;
  const first = await findIdempotencyKey(tx, actor, key);
  if (!first) throw new Error('an idempotency key vanished while it was read');
  if (first.operation === operation && first.contentHash === contentHash) return first.resultId;
  throw new Failure(new IdempotencyConflictError(first.createdAt));
}
