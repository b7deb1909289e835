import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Keys of this deployment: the first one seals, all of them open, so that a key can be changed without a pause. */
export type Keyring = readonly Buffer[];

/** Seals a secret for one column: AES-256-GCM with a random IV, the column's name as associated data. Fit for addresses. */
export function seal(keys: Keyring, column: string, secret: string): string {
  const key = keys[0];
  if (!key) throw new Error('no encryption key is configured');
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(column));
  const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
  return `${keyId(key)}.${Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url')}`;
}

/** Opens what `seal` made for the same column; throws for another column, another key, or a changed byte. */
export function open(keys: Keyring, column: string, sealed: string): string {
  const [id, body] = sealed.split('.');
  const key = keys.find((candidate) => keyId(candidate) === id);
  if (!key || !body)
    throw new Error(
      `the secret in ${column} was sealed with a key that is not configured: set ENCRYPTION_KEY_PREVIOUS to it`,
    );
  // Reads both alphabets: what was sealed earlier is in the other one.
  const bytes = Buffer.from(body, 'base64url');
  const iv = bytes.subarray(0, IV_BYTES);
  const tag = bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES);
  const decipher = createDecipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(column))
    .setAuthTag(tag);
  return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
}

/** True where a secret should be sealed again because a newer key is configured. */
export function isSealedWithOldKey(keys: Keyring, sealed: string): boolean {
  return !keys[0] || !sealed.startsWith(`${keyId(keys[0])}.`);
}

function keyId(key: Buffer): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 8);
}
