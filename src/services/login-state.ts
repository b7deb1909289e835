import type { Operator } from '../generated/prisma/client.ts';
import type { LoginState } from '../generated/prisma/enums.ts';

/** How long a heartbeat holds. */
export const ONLINE_MS = 60_000;

export type LogIn = Pick<Operator, 'lastSeenAt' | 'sessionExpiresAt' | 'signedOutAt' | 'deactivatedAt'>;

/** ONLINE while something of the operator's was seen within the last minute, IDLE while a log-in holds. */
export function loginState(operator: LogIn, now: Date, onlineMs: number = ONLINE_MS): LoginState {
  const { lastSeenAt, sessionExpiresAt, signedOutAt, deactivatedAt } = operator;
  const isValid = deactivatedAt === null && sessionExpiresAt !== null && sessionExpiresAt > now;
  if (!isValid || (signedOutAt !== null && (!lastSeenAt || signedOutAt >= lastSeenAt))) return 'LOGGED_OUT';
  return lastSeenAt && now.getTime() - lastSeenAt.getTime() < onlineMs ? 'ONLINE' : 'IDLE';
}
