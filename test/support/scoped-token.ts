import { createHash, randomBytes } from 'node:crypto';
import type { TokenScope } from '../../src/generated/prisma/enums.ts';
import type { TestServer } from './server.ts';

/** A dashboard token with just these scopes. */
export async function scopedToken(
  server: TestServer,
  scopes: TokenScope[],
  businessNumberIds: string[] = [],
): Promise<string> {
  const secret = `cdesk_live_${randomBytes(16).toString('hex')}`;
  await server.sql(
    `INSERT INTO api_token (id, name, hash, hint, scopes, business_number_ids, created_by_id)
     SELECT gen_random_uuid(), 'Test', $1, 'test', $2::"TokenScope"[], $3, id FROM operator ORDER BY number LIMIT 1`,
    [createHash('sha256').update(secret).digest('hex'), scopes, businessNumberIds],
  );
  return secret;
}
