import { createHash } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify, type JWTPayload, type JWTVerifyOptions } from 'jose';
import type { Database } from './db/database.ts';
import type { Env } from './env.ts';
import { unauthenticated } from './errors.ts';
import type { ApiToken, Operator } from './generated/prisma/client.ts';
import { ChatPermission, type TokenScope } from './generated/prisma/enums.ts';

/** Who asks. Rights are copied here when the viewer is loaded and looked at again for every event. */
export type Viewer = OperatorViewer | TokenViewer;

export type OperatorViewer = {
  kind: 'operator';
  operatorId: string;
  permissions: ReadonlySet<ChatPermission>;
  /** Where the request came from; null where a stream goes on by itself. */
  address: string | null;
  /** When the log-in runs out, UTC. */
  expiresAt: Date | null;
};

export type TokenViewer = {
  kind: 'token';
  tokenId: string;
  scopes: ReadonlySet<TokenScope>;
  /** Null: every business number. */
  businessNumberIds: ReadonlySet<string> | null;
  address: string | null;
  expiresAt: Date | null;
};

export type Authenticate = (credential: string | null, address: string) => Promise<Viewer>;

/** Recognisable by secret scanners. */
export const API_TOKEN_PREFIX = 'cdesk_live_';

const CLOCK_TOLERANCE_SECONDS = 5;
const MAX_CREDENTIAL_LENGTH = 8_192;

/** Everyone who may read conversations sees their text and contacts; tokens need the scope for each. */
export function hasPermission(viewer: Viewer | null, permission: ChatPermission): boolean {
  return viewer?.kind === 'operator' && viewer.permissions.has(permission);
}

export function hasScope(viewer: Viewer | null, scope: TokenScope): boolean {
  if (viewer?.kind === 'token') return viewer.scopes.has(scope);
  return hasPermission(viewer, 'READ_CONVERSATIONS');
}

/** Identifies an actor for idempotency keys and limits. */
export function actorOf(viewer: Viewer): string {
  return viewer.kind === 'operator' ? `operator:${viewer.operatorId}` : `token:${viewer.tokenId}`;
}

/** Strips "Bearer "; null where there is nothing to check. */
export function bearer(header: string | null | undefined): string | null {
  const match = /^Bearer\s+(\S+)$/i.exec(header ?? '');
  return match?.[1] ?? null;
}

export function hashApiToken(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Checks an operator's log-in or a dashboard's token. Refuses with UNAUTHENTICATED, always with the same sentence. */
export function createAuthenticate(db: Database, env: Env): Authenticate {
  const verify = createVerifier(env);
  return async (credential, address) => {
    if (!credential || credential.length > MAX_CREDENTIAL_LENGTH) throw unauthenticated();
    if (credential.startsWith(API_TOKEN_PREFIX)) return tokenViewer(await findApiToken(db, credential), address);
    return { ...(await operatorViewer(db, env, await verify(credential))), address };
  };
}

function createVerifier(env: Env): (jwt: string) => Promise<JWTPayload> {
  const options: JWTVerifyOptions = { clockTolerance: CLOCK_TOLERANCE_SECONDS, requiredClaims: ['sub', 'exp'] };
  if (env.jwtIssuer) options.issuer = env.jwtIssuer;
  if (env.jwtAudience) options.audience = env.jwtAudience;
  const keySet = env.jwtJwksUrl ? createRemoteJWKSet(new URL(env.jwtJwksUrl)) : null;
  const secret = env.jwtSecret ? new TextEncoder().encode(env.jwtSecret) : null;
  return async (jwt) => {
    try {
      if (keySet) return (await jwtVerify(jwt, keySet, options)).payload;
      if (secret)
        return (await jwtVerify(jwt, secret, { ...options, algorithms: ['HS256', 'HS384', 'HS512'] })).payload;
    } catch {
      throw unauthenticated();
    }
    throw unauthenticated();
  };
}

async function findApiToken(db: Database, secret: string): Promise<ApiToken> {
  const token = await db.prisma.apiToken.findUnique({ where: { hash: hashApiToken(secret) } });
  if (!token || token.revokedAt || (token.expiresAt && token.expiresAt <= new Date())) throw unauthenticated();
  return token;
}

export function tokenViewer(token: ApiToken, address: string | null): TokenViewer {
  return {
    kind: 'token',
    tokenId: token.id,
    scopes: new Set(token.scopes),
    businessNumberIds: token.businessNumberIds.length > 0 ? new Set(token.businessNumberIds) : null,
    address,
    expiresAt: token.expiresAt,
  };
}

async function operatorViewer(db: Database, env: Env, claims: JWTPayload): Promise<Omit<OperatorViewer, 'address'>> {
  const operator = await recordLogIn(db, env, claims);
  if (operator.deactivatedAt) throw unauthenticated();
  if (operator.signedOutAt && (claims.iat ?? 0) * 1000 <= operator.signedOutAt.getTime()) throw unauthenticated();
  return {
    kind: 'operator',
    operatorId: operator.id,
    permissions: new Set(operator.permissions),
    expiresAt: operator.sessionExpiresAt,
  };
}

/** The first log-in of a subject makes the operator; a later one that says something else updates it. */
async function recordLogIn(db: Database, env: Env, claims: JWTPayload): Promise<Operator> {
  const subject = String(claims.sub);
  const known = await db.prisma.operator.findUnique({ where: { subject } });
  const told = describeOperator(env, claims, known);
  if (!known) return db.prisma.operator.upsert({ where: { subject }, create: { subject, ...told }, update: told });
  if (sameOperator(known, told)) return known;
  return db.prisma.operator.update({ where: { id: known.id }, data: told });
}

type ToldOperator = Pick<Operator, 'login' | 'displayName' | 'permissions' | 'sessionExpiresAt'>;

function describeOperator(env: Env, claims: JWTPayload, known: Operator | null): ToldOperator {
  const expiresAt = new Date((claims.exp ?? 0) * 1000);
  const later = known?.sessionExpiresAt && known.sessionExpiresAt > expiresAt ? known.sessionExpiresAt : expiresAt;
  return {
    login: stringClaim(claims[env.jwtLoginClaim]) ?? known?.login ?? String(claims.sub),
    displayName: stringClaim(claims[env.jwtNameClaim]) ?? known?.displayName ?? String(claims.sub),
    permissions: permissionsClaim(claims[env.jwtPermissionsClaim]) ?? known?.permissions ?? [],
    sessionExpiresAt: later,
  };
}

function stringClaim(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value.slice(0, 255) : null;
}

function permissionsClaim(value: unknown): ChatPermission[] | null {
  if (!Array.isArray(value)) return null;
  return Object.values(ChatPermission).filter((permission) => value.includes(permission));
}

function sameOperator(known: Operator, told: ToldOperator): boolean {
  return (
    known.login === told.login &&
    known.displayName === told.displayName &&
    known.permissions.join() === told.permissions.join() &&
    known.sessionExpiresAt?.getTime() === told.sessionExpiresAt?.getTime()
  );
}
