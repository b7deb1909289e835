import { createHash, randomBytes } from 'node:crypto';

/** Recognisable by secret scanners. */
export const API_TOKEN_PREFIX = 'cdesk_live_';

const SECRET_BYTES = 32;

export function makeApiToken(): string {
  return `${API_TOKEN_PREFIX}${randomBytes(SECRET_BYTES).toString('base64url')}`;
}

/** What is stored of a token. It is random enough that a plain hash cannot be reversed, and quick to look up. */
export function hashApiToken(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
