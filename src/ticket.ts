import { hkdfSync } from 'node:crypto';
import { open, seal, type Keyring } from './services/secrets.ts';

const LIFETIME_SECONDS = 60;
const PURPOSE = 'ticket';

/**
 * Short-lived stand-ins for a credential, for `EventSource`, which can send no header. Any process can check them.
 * They travel in addresses and so into the logs of others: the credential in them is sealed.
 */
export type Tickets = {
  issue(credential: string, now: Date): { ticket: string; expiresInSeconds: number };
  /** The credential of a valid ticket, or null. */
  redeem(ticket: string, now: Date): string | null;
};

export function createTickets(secrets: Keyring): Tickets {
  const keys = secrets.map((secret) => Buffer.from(hkdfSync('sha256', secret, '', PURPOSE, 32)));
  return {
    issue(credential, now) {
      const expiresAt = now.getTime() + LIFETIME_SECONDS * 1000;
      return {
        ticket: seal(keys, PURPOSE, JSON.stringify([expiresAt, credential])),
        expiresInSeconds: LIFETIME_SECONDS,
      };
    },
    redeem(ticket, now) {
      const opened = tryOpen(keys, ticket);
      if (opened === null) return null;
      // Sealed by us, so it is what `issue` made.
      const [expiresAt, credential] = JSON.parse(opened) as [number, string];
      return expiresAt > now.getTime() ? credential : null;
    },
  };
}

function tryOpen(keys: Keyring, ticket: string): string | null {
  try {
    return open(keys, PURPOSE, ticket);
  } catch {
    return null;
  }
}
