import { SignJWT } from 'jose';
import type { Env } from './env.ts';

/** Signs an operator's log-in as CDESK would; for development and for organisations without CDESK's log-in. */
export async function signIn(
  env: Env,
  operator: { subject: string; login: string; displayName?: string; permissions?: readonly string[] },
  lifetimeSeconds = 12 * 3600,
): Promise<string> {
  if (!env.jwtSecret) throw new Error('JWT_SECRET is not set: only the owner of the key set can sign log-ins');
  const claims: Record<string, unknown> = { [env.jwtLoginClaim]: operator.login };
  if (operator.displayName) claims[env.jwtNameClaim] = operator.displayName;
  if (operator.permissions) claims[env.jwtPermissionsClaim] = operator.permissions;
  const jwt = new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setSubject(operator.subject).setIssuedAt();
  if (env.jwtIssuer) jwt.setIssuer(env.jwtIssuer);
  if (env.jwtAudience) jwt.setAudience(env.jwtAudience);
  return jwt
    .setExpirationTime(Math.floor(Date.now() / 1000) + lifetimeSeconds)
    .sign(new TextEncoder().encode(env.jwtSecret));
}
