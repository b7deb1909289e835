import { createHmac, timingSafeEqual } from 'node:crypto';

/** How far the clocks of the two sides may be apart; an older message may be a replay. */
export const TOLERANCE_SECONDS = 300;

const HEADER = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/;

/** `t=<Unix seconds>,v1=<HMAC-SHA-256 in hex>` over the time, a dot and the raw body. */
export function signatureOf(secret: string, body: string | Buffer, now: Date): string {
  const time = Math.floor(now.getTime() / 1000);
  return `t=${time},v1=${hmac(secret, time, body).toString('hex')}`;
}

export function isSigned(secret: string, body: Buffer, header: string | undefined, now: Date): boolean {
  const [, time, told] = HEADER.exec(header ?? '') ?? [];
  if (!time || !told) return false;
  const isFresh = Math.abs(now.getTime() / 1000 - Number(time)) <= TOLERANCE_SECONDS;
  return timingSafeEqual(hmac(secret, Number(time), body), Buffer.from(told, 'hex')) && isFresh;
}

function hmac(secret: string, time: number, body: string | Buffer): Buffer {
  return createHmac('sha256', secret).update(`${time}.`).update(body).digest();
}
