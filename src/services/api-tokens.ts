import { v7 as uuid } from 'uuid';
import type { Database } from '../db/database.ts';
import { countLiveTokens, findKnownNumbers, insertApiToken, revokeToken } from '../db/statements/api-tokens.ts';
import { transaction } from '../db/transaction.ts';
import { Failure, LimitError, NotFoundError, ValidationError, type UserError } from '../errors.ts';
import type { TokenScope } from '../generated/prisma/enums.ts';
import type { Actor } from './actor.ts';
import { hashApiToken, makeApiToken } from './api-token-secret.ts';
import { recordAudit } from './audit.ts';

export type NewApiToken = {
  name: string;
  scopes: TokenScope[];
  expiresAt: Date | null;
  /** Null: every business number. */
  businessNumberIds: string[] | null;
};

const MAX_NAME_LENGTH = 60;
const MAX_LIVE_TOKENS = 200;
const HINT_LENGTH = 4;

/** Makes a token for a dashboard. The secret is in the answer and nowhere else. */
export async function createApiToken(
  db: Database,
  actor: Actor & { operatorId: string },
  wanted: NewApiToken,
): Promise<{ tokenId: string; secret: string }> {
  const id = uuid();
  const secret = makeApiToken();
  await transaction(db, async (tx) => {
    const problems = checkToken(wanted, tx.now);
    const numbers = wanted.businessNumberIds ?? [];
    if ((await findKnownNumbers(tx, numbers)) < new Set(numbers).size)
      problems.push(new NotFoundError('There is no such business number.', ['input', 'businessNumberIds']));
    if ((await countLiveTokens(tx)) >= MAX_LIVE_TOKENS)
      problems.push(
        new LimitError('LIMIT_EXCEEDED', `There are at most ${MAX_LIVE_TOKENS} tokens: revoke one.`, {
          limit: MAX_LIVE_TOKENS,
        }),
      );
    if (problems.length > 0) throw new Failure(...problems);
    await insertApiToken(tx, {
      id,
      name: wanted.name.trim(),
      hash: hashApiToken(secret),
      hint: secret.slice(-HINT_LENGTH),
      scopes: [...new Set(wanted.scopes)],
      businessNumberIds: [...new Set(numbers)],
      createdById: actor.operatorId,
      createdAt: tx.now,
      expiresAt: wanted.expiresAt,
    });
    const detail = [...new Set(wanted.scopes)].join(', ');
    await recordAudit(tx, actor, { action: 'TOKEN_CREATED', subject: { type: 'ApiToken', id }, detail });
  });
  return { tokenId: id, secret };
}

/** Ends a token at once and for good; its sockets are closed within seconds. Safe to repeat. */
export async function revokeApiToken(db: Database, actor: Actor, tokenId: string): Promise<void> {
  await transaction(db, async (tx) => {
    const outcome = await revokeToken(tx, tokenId);
    if (outcome === 'unknown') throw new Failure(new NotFoundError('There is no such token.', ['input', 'id']));
    if (outcome === 'revoked')
      await recordAudit(tx, actor, { action: 'TOKEN_REVOKED', subject: { type: 'ApiToken', id: tokenId } });
  });
}

function checkToken({ name, scopes, expiresAt, businessNumberIds }: NewApiToken, now: Date): UserError[] {
  const problems: UserError[] = [];
  const refuse = (rule: string, message: string, field: string) =>
    void problems.push(new ValidationError(rule, message, ['input', field]));
  if (name.trim() === '') refuse('EMPTY', 'A token has a name.', 'name');
  if (name.trim().length > MAX_NAME_LENGTH) refuse('TOO_LONG', `It has at most ${MAX_NAME_LENGTH} characters.`, 'name');
  if (scopes.length === 0) refuse('EMPTY', 'A token without a scope may do nothing.', 'scopes');
  if (expiresAt && expiresAt <= now) refuse('IN_THE_PAST', 'The token would have expired already.', 'expiresAt');
  if (businessNumberIds?.length === 0)
    refuse('EMPTY', 'Leave it out for every number: a token without any sees nothing.', 'businessNumberIds');
  return problems;
}
