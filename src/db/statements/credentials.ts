import type pg from 'pg';
import type { ApiToken, Operator } from '../../generated/prisma/client.ts';
import { modelColumns } from '../models.ts';

const operatorsBySubject = {
  name: 'operators-by-subject',
  text: `SELECT ${modelColumns('Operator', 'o')} FROM operator o WHERE o.subject = ANY($1)`,
};
const tokensByHash = {
  name: 'api-tokens-by-hash',
  text: `SELECT ${modelColumns('ApiToken', 't')} FROM api_token t WHERE t.hash = ANY($1)`,
};

export async function findOperatorsBySubject(pool: pg.Pool, subjects: readonly string[]): Promise<Operator[]> {
  return (await pool.query<Operator>({ ...operatorsBySubject, values: [subjects] })).rows;
}

export async function findTokensByHash(pool: pg.Pool, hashes: readonly string[]): Promise<ApiToken[]> {
  return (await pool.query<ApiToken>({ ...tokensByHash, values: [hashes] })).rows;
}
