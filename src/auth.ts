import type { Database } from './db/database.ts';
import { shareReads } from './db/shared-reads.ts';
import { findTokensByHash } from './db/statements/credentials.ts';
import type { Env } from './env.ts';
import { unauthenticated } from './errors.ts';
import type { ApiToken } from './generated/prisma/client.ts';
import type { ChatPermission, TokenScope } from './generated/prisma/enums.ts';
import { createLogIn, isEnded } from './log-in.ts';
import { API_TOKEN_PREFIX, hashApiToken } from './services/api-token-secret.ts';

/** Who asks. Rights are copied here when the viewer is loaded and looked at again for every event. */
export type Viewer = OperatorViewer | TokenViewer;

export type OperatorViewer = {
  kind: 'operator';
  operatorId: string;
  permissions: ReadonlySet<ChatPermission>;
  /** Where the request came from; null where a stream goes on by itself. */
  address: string | null;
  /** When the log-in was issued, UTC; null where it does not say. Signing out ends what was issued before. */
  issuedAt: Date | null;
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

/** Checks an operator's log-in or a dashboard's token. Refuses with UNAUTHENTICATED, always with the same sentence. */
export function createAuthenticate(db: Database, env: Env): Authenticate {
  const logIn = createLogIn(db, env);
  // Read for every request, so that a token that was revoked is refused at once.
  const findToken = shareReads(
    (hashes) => findTokensByHash(db.pool, hashes),
    (token) => token.hash,
  );
  return async (credential, address) => {
    if (!credential || credential.length > MAX_CREDENTIAL_LENGTH) throw unauthenticated();
    if (credential.startsWith(API_TOKEN_PREFIX))
      return tokenViewer(liveToken(await findToken(hashApiToken(credential))), address);
    const { operator, issuedAt, expiresAt } = await logIn(credential);
    if (isEnded(operator, issuedAt)) throw unauthenticated();
    const permissions = new Set(operator.permissions);
    return { kind: 'operator', operatorId: operator.id, permissions, address, issuedAt, expiresAt };
  };
}

/** Tells of everyone who comes with a good credential. */
export function noteSeen(authenticate: Authenticate, seen: (viewer: Viewer) => void): Authenticate {
  return async (credential, address) => {
    const viewer = await authenticate(credential, address);
    seen(viewer);
    return viewer;
  };
}

function liveToken(token: ApiToken | null): ApiToken {
  if (!token || !isLive(token, new Date())) throw unauthenticated();
  return token;
}

export function isLive({ revokedAt, expiresAt }: ApiToken, now: Date): boolean {
  return revokedAt === null && (expiresAt === null || expiresAt > now);
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
