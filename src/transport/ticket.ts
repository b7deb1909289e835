import { createHmac, timingSafeEqual } from 'node:crypto';

const LIFETIME_SECONDS = 60;

/** Short-lived stand-ins for a credential, for `EventSource`, which can send no header. Any process can check them. */
export type Tickets = {
  issue(credential: string, now: Date): { ticket: string; expiresInSeconds: number };
  /** The credential of a valid ticket, or null. */
  redeem(ticket: string, now: Date): string | null;
};

export function createTickets(secret: Buffer): Tickets {
  const sign = (body: string) => createHmac('sha256', secret).update(`ticket:${body}`).digest();
  return {
    issue(credential, now) {
      const expiresAt = now.getTime() + LIFETIME_SECONDS * 1000;
      const body = Buffer.from(JSON.stringify([expiresAt, credential])).toString('base64url');
      return { ticket: `${body}.${sign(body).toString('base64url')}`, expiresInSeconds: LIFETIME_SECONDS };
    },
    redeem(ticket, now) {
      const [body, signature] = ticket.split('.');
      if (!body || !signature) return null;
      const told = Buffer.from(signature, 'base64url');
      const expected = sign(body);
      if (told.length !== expected.length || !timingSafeEqual(told, expected)) return null;
      // Signed by us, so it is what `issue` made.
      const [expiresAt, credential] = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as [number, string];
      return expiresAt > now.getTime() ? credential : null;
    },
  };
}
