import { createHmac, timingSafeEqual } from 'node:crypto';

const HEADER = /^sha256=([0-9a-f]{64})$/i;

/**
 * True where the header is Meta's HMAC-SHA-256 of exactly these bytes under one of the secrets. Meta escapes what it
 * signs, so a body that was parsed and written again would not verify.
 */
export function isSignedBy(secrets: readonly string[], body: Buffer, header: string | undefined): boolean {
  const told = HEADER.exec(header ?? '')?.[1];
  if (!told) return false;
  const signature = Buffer.from(told, 'hex');
  return secrets.some((secret) => timingSafeEqual(createHmac('sha256', secret).update(body).digest(), signature));
}

/** Compares two secrets without telling by its duration where they differ. */
export function equalSecrets(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHmac('sha256', 'compare').update(text).digest());
  return left !== undefined && right !== undefined && timingSafeEqual(left, right);
}
