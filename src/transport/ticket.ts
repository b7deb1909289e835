import { createHmac, timingSafeEqual } from 'node:crypto';

const LIFETIME_SECONDS = 60;

/** Short-lived stand-ins for a credential, for `EventSource`, which can send no header. Any process can check them. */
export type Tickets = {
  issue(credential: string): { ticket: string; expiresInSeconds: number };
  /** The credential of a valid ticket, or null. */
  redeem(ticket: string): string | null;
};

export function createTickets(secret: Buffer): Tickets {
  const sign = (body: string) => createHmac('sha256', secret).update(`ticket:${body}`).digest();
  return {
    issue(credential) {
      const expiresAt = Date.now() + LIFETIME_SECONDS * 1000;
      const body = Buffer.from(JSON.stringify([expiresAt, credential])).toString('base64url');
      return { ticket: `${body}.${sign(body).toString('base64url')}`, expiresInSeconds: LIFETIME_SECONDS };
    },
    redeem(ticket) {
      const [body, signature] = ticket.split('.');
      if (!body || !signature) return null;
      const told = Buffer.from(signature, 'base64url');
      const expected = sign(body);
      if (told.length !== expected.length || !timingSafeEqual(told, expected)) return null;
      // Signed by us, so it is what `issue` made.
      const [expiresAt, credential] = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as [number, string];
      return expiresAt > Date.now() ? credential : null;
    },
  };
}
