import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyOptions } from 'jose';
import type { Database } from './db/database.ts';
import { shareReads } from './db/shared-reads.ts';
import { findOperatorsBySubject } from './db/statements/credentials.ts';
import type { Env } from './env.ts';
import { unauthenticated } from './errors.ts';
import type { Operator } from './generated/prisma/client.ts';
import { ChatPermission } from './generated/prisma/enums.ts';

const CLOCK_TOLERANCE_SECONDS = 5;
const MAX_CLAIM_LENGTH = 255;
const MAX_REMEMBERED = 10_000;
/** A key that was withdrawn counts no longer than this. */
const REMEMBERED_MS = 60_000;

export type LogIn = { operator: Operator; issuedAt: Date | null; expiresAt: Date };

/** Checks CDESK's log-in and knows its operator; the first one of a subject makes the operator. */
export function createLogIn(db: Database, env: Env): (jwt: string) => Promise<LogIn> {
  const verify = rememberVerified(createVerifier(env));
  // Read for every request, so that a change of rights counts at once.
  const findOperator = shareReads(
    (subjects) => findOperatorsBySubject(db.pool, subjects),
    (operator) => operator.subject,
  );
  return async (jwt) => {
    const claims = await verify(jwt);
    const issuedAt = claims.iat === undefined ? null : new Date(claims.iat * 1000);
    const expiresAt = new Date((claims.exp ?? 0) * 1000);
    const known = await findOperator(String(claims.sub));
    return { operator: await recordLogIn(db, env, claims, known, issuedAt, expiresAt), issuedAt, expiresAt };
  };
}

/** Locked out, or signed out after this log-in was issued. */
export function isEnded(operator: Pick<Operator, 'deactivatedAt' | 'signedOutAt'>, issuedAt: Date | null): boolean {
  if (operator.deactivatedAt !== null) return true;
  return operator.signedOutAt !== null && (issuedAt === null || issuedAt <= operator.signedOutAt);
}

function createVerifier(env: Env): (jwt: string) => Promise<JWTPayload> {
  const options: JWTVerifyOptions = { clockTolerance: CLOCK_TOLERANCE_SECONDS, requiredClaims: ['sub', 'exp'] };
  if (env.jwtIssuer) options.issuer = env.jwtIssuer;
  if (env.jwtAudience) options.audience = env.jwtAudience;
  const keySet = env.jwtJwksUrl ? createRemoteJWKSet(new URL(env.jwtJwksUrl)) : null;
  const secret = env.jwtSecret ? new TextEncoder().encode(env.jwtSecret) : null;
  return async (jwt) => {
    try {
      if (keySet) return checked((await jwtVerify(jwt, keySet, options)).payload);
      if (secret) return checked((await jwtVerify(jwt, secret, { ...options, algorithms: HMAC })).payload);
    } catch (error) {
      throw isAway(error) ? error : unauthenticated();
    }
    throw unauthenticated();
  };
}

/** Verifying costs more than everything else about a log-in, and for the same text it says the same until its time is over. */
function rememberVerified(verify: (jwt: string) => Promise<JWTPayload>): (jwt: string) => Promise<JWTPayload> {
  const known = new Map<string, { claims: JWTPayload; until: number }>();
  return async (jwt) => {
    const key = hash('sha256', jwt, 'base64');
    const held = known.get(key);
    if (held && Date.now() < held.until) return held.claims;
    known.delete(key);
    const claims = await verify(jwt);
    const expires = ((claims.exp ?? 0) + CLOCK_TOLERANCE_SECONDS) * 1000;
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(key, { claims, until: Math.min(expires, Date.now() + REMEMBERED_MS) });
    return claims;
  };
}

const HMAC = ['HS256', 'HS384', 'HS512'];
const KEYS_AWAY = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC']);

/** The keys cannot be fetched: that says nothing about the log-in, which must not be called wrong. */
function isAway(error: unknown): boolean {
  return error instanceof errors.JOSEError ? KEYS_AWAY.has(error.code) : error instanceof TypeError;
}

function checked(claims: JWTPayload): JWTPayload {
  const { sub, iat } = claims;
  if (typeof sub !== 'string' || sub === '' || sub.length > MAX_CLAIM_LENGTH || sub.includes('\0'))
    throw unauthenticated();
  if (iat !== undefined && iat * 1000 > Date.now() + CLOCK_TOLERANCE_SECONDS * 1000) throw unauthenticated();
  return claims;
}

/** A later log-in that says something else changes the operator; an older one, still valid, brings nothing back. */
async function recordLogIn(
  db: Database,
  env: Env,
  claims: JWTPayload,
  known: Operator | null,
  issuedAt: Date | null,
  expiresAt: Date,
): Promise<Operator> {
  const subject = String(claims.sub);
  const isOlder = known?.claimsIssuedAt != null && (issuedAt === null || issuedAt < known.claimsIssuedAt);
  const told = {
    ...(isOlder ? {} : { ...describeOperator(env, claims, known), claimsIssuedAt: issuedAt }),
    sessionExpiresAt: later(known?.sessionExpiresAt ?? null, expiresAt),
  };
  if (!known) {
    const create = { subject, ...describeOperator(env, claims, null), ...told };
    return db.prisma.operator.upsert({ where: { subject }, create, update: told });
  }
  return isSame(known, told) ? known : db.prisma.operator.update({ where: { id: known.id }, data: told });
}

type Described = Pick<Operator, 'login' | 'displayName' | 'permissions'>;

function describeOperator(env: Env, claims: JWTPayload, known: Operator | null): Described {
  const subject = String(claims.sub);
  return {
    login: text(claimOf(claims, env.jwtLoginClaim)) ?? known?.login ?? subject,
    displayName: text(claimOf(claims, env.jwtNameClaim)) ?? known?.displayName ?? subject,
    permissions: permissions(claimOf(claims, env.jwtPermissionsClaim)) ?? known?.permissions ?? [],
  };
}

/** A claim by its name, or by its path where it lies deeper: `realm_access.roles`. */
function claimOf(claims: JWTPayload, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name.split('.').reduce<unknown>((value, key) => {
    // What has the key of its own is an object; only its values are of unknown type.
    return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
      ? (value as Record<string, unknown>)[key]
      : undefined;
  }, claims);
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, MAX_CLAIM_LENGTH) : null;
}

/** A list, or names with blanks between as in a scope claim. Rights that we do not know are other applications'. */
function permissions(value: unknown): ChatPermission[] | null {
  const names: unknown = typeof value === 'string' ? value.split(/[\s,]+/) : value;
  if (!Array.isArray(names)) return null;
  return Object.values(ChatPermission).filter((permission) => names.includes(permission));
}

function later(one: Date | null, other: Date): Date {
  return one !== null && one > other ? one : other;
}

function isSame(known: Operator, told: Partial<Operator>): boolean {
  return isDeepStrictEqual({ ...known, ...told }, known);
}
