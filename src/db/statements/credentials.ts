import type pg from 'pg';
import type { ApiToken, Operator } from '../../generated/prisma/client.ts';
import { modelColumns } from '../models.ts';

const operatorBySubject = {
  name: 'operator-by-subject',
  text: `SELECT ${modelColumns('Operator', 'o')} FROM operator o WHERE o.subject = $1`,
};
const tokenByHash = {
  name: 'api-token-by-hash',
  text: `SELECT ${modelColumns('ApiToken', 't')} FROM api_token t WHERE t.hash = $1`,
};

/** Read for every request, so that a change of rights counts at once. */
export async function findOperatorBySubject(pool: pg.Pool, subject: string): Promise<Operator | null> {
  const { rows } = await pool.query<Operator>({ ...operatorBySubject, values: [subject] });
  return rows[0] ?? null;
}

/** Read for every request, so that a token that was revoked is refused at once. */
export async function findTokenByHash(pool: pg.Pool, hash: string): Promise<ApiToken | null> {
  const { rows } = await pool.query<ApiToken>({ ...tokenByHash, values: [hash] });
  return rows[0] ?? null;
}
