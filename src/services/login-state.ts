import type { Operator } from '../generated/prisma/client.ts';

const ONLINE_MS = 60_000;

export type LoginState = 'ONLINE' | 'IDLE' | 'LOGGED_OUT';

/** ONLINE while something of the operator's was seen in the last minute, IDLE while a log-in holds. */
export function loginState(
  operator: Pick<Operator, 'lastSeenAt' | 'sessionExpiresAt' | 'signedOutAt' | 'deactivatedAt'>,
  now: Date,
): LoginState {
  const { lastSeenAt, sessionExpiresAt, signedOutAt, deactivatedAt } = operator;
  const isValid = deactivatedAt === null && sessionExpiresAt !== null && sessionExpiresAt > now;
  if (!isValid || (signedOutAt !== null && (!lastSeenAt || signedOutAt >= lastSeenAt))) return 'LOGGED_OUT';
  return lastSeenAt && now.getTime() - lastSeenAt.getTime() < ONLINE_MS ? 'ONLINE' : 'IDLE';
}
