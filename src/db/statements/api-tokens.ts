import type { ApiToken } from '../../generated/prisma/client.ts';
import type { Transaction } from '../transaction.ts';

export async function insertApiToken(
  tx: Transaction,
  token: Omit<ApiToken, 'lastUsedAt' | 'revokedAt'>,
): Promise<void> {
  await tx.query(
    `INSERT INTO api_token (id, name, hash, hint, scopes, business_number_ids, created_by_id, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5::"TokenScope"[], $6::uuid[], $7, $8, $9)`,
    [
      token.id,
      token.name,
      token.hash,
      token.hint,
      token.scopes,
      token.businessNumberIds,
      token.createdById,
      token.createdAt,
      token.expiresAt,
    ],
  );
}

export async function revokeToken(tx: Transaction, id: string): Promise<'revoked' | 'was-revoked' | 'unknown'> {
  const [known] = await tx.query<{ revokedAt: Date | null }>(
    'SELECT revoked_at AS "revokedAt" FROM api_token WHERE id = $1 FOR UPDATE',
    [id],
  );
  if (!known) return 'unknown';
  if (known.revokedAt) return 'was-revoked';
  await tx.query('UPDATE api_token SET revoked_at = $2 WHERE id = $1', [id, tx.now]);
  return 'revoked';
}

export async function countLiveTokens(tx: Transaction): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    'SELECT count(*) AS count FROM api_token WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1)',
    [tx.now],
  );
  return row?.count ?? 0;
}

export async function findKnownNumbers(tx: Transaction, ids: string[]): Promise<number> {
  if (ids.length === 0) return 0;
  const rows = await tx.query('SELECT id FROM business_number WHERE id = ANY($1::uuid[])', [ids]);
  return rows.length;
}

/** One statement for all tokens that were used since the last time. */
export async function saveTokenUse(tx: Transaction, used: ReadonlyMap<string, Date>): Promise<void> {
  await tx.query(
    `UPDATE api_token t SET last_used_at = greatest(t.last_used_at, n.at)
     FROM unnest($1::uuid[], $2::timestamptz[]) AS n (id, at) WHERE t.id = n.id`,
    [[...used.keys()], [...used.values()]],
  );
}
