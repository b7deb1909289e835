import { isLive, tokenViewer, type TokenViewer, type Viewer } from '../auth.ts';
import type { Database } from '../db/database.ts';
import type { ApiToken, Operator } from '../generated/prisma/client.ts';
import type { Log } from '../log.ts';
import { isEnded } from '../log-in.ts';

type Watched = { viewer: Viewer; setViewer(viewer: Viewer): void; refuse(reason: string): void };

const LOOK_MS = 1_000;
const RETRY_MS = 250;

export type AccessWatch = AsyncDisposable & {
  /** A look that began after this call; settles when everyone's present rights hold. */
  look(): Promise<void>;
};

/** Looks at the present rights of everyone connected: whoever lost theirs is cut off within seconds, on every process. */
export function createAccessWatch(options: {
  db: Database;
  connections: () => Iterable<Watched>;
  /** Ends everything where nobody may follow any more. */
  lookAtModule: () => Promise<void>;
  log: Log;
}): AccessWatch {
  let isStopped = false;
  let current: Promise<unknown> = Promise.resolve();
  let next: Promise<void> | null = null;
  const timer = setInterval(() => void lookOnce().catch(() => {}), LOOK_MS);

  return {
    async look() {
      for (;;) {
        try {
          return await lookOnce();
        } catch (error) {
          if (isStopped) throw error;
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        }
      }
    },
    async [Symbol.asyncDispose]() {
      isStopped = true;
      clearInterval(timer);
      await Promise.allSettled([current, next]);
    },
  };

  /** Whoever asks while one runs shares the one after it. */
  function lookOnce(): Promise<void> {
    next ??= current.then(() => {
      const look = lookNow();
      next = null;
      current = look.catch(() => {});
      return look;
    });
    return next;
  }

  async function lookNow(): Promise<void> {
    const now = new Date();
    const watched = [...options.connections()].filter((connection) => !endExpired(connection, now));
    if (isStopped || watched.length === 0) return;
    try {
      await options.lookAtModule();
      const presentOf = await readPresent(
        options.db,
        watched.map(({ viewer }) => viewer),
      );
      for (const connection of watched) apply(connection, presentOf.get(idOf(connection.viewer)));
    } catch (error) {
      options.log.debug({ err: error }, 'rights could not be read; the next look tries again');
      throw error;
    }
  }
}

/** Needs no database, which may be away. */
function endExpired(connection: Watched, now: Date): boolean {
  const { expiresAt } = connection.viewer;
  if (expiresAt === null || expiresAt > now) return false;
  connection.refuse('Forbidden: the token expired');
  return true;
}

function apply(connection: Watched, present: Present | undefined): void {
  const { viewer } = connection;
  if (!present?.holdsFor(viewer)) return connection.refuse('Forbidden: signed out or revoked');
  if (present.rights !== rightsOf(viewer)) connection.setViewer(present.as(viewer));
}

/** What a credential may at this moment, worked out once for all connections that came with it. */
type Present = { rights: string; holdsFor(viewer: Viewer): boolean; as(viewer: Viewer): Viewer };

async function readPresent(db: Database, viewers: Viewer[]): Promise<ReadonlyMap<string, Present>> {
  const ids = (kind: Viewer['kind']) => [...new Set(viewers.filter((each) => each.kind === kind).map(idOf))];
  const [operatorIds, tokenIds] = [ids('operator'), ids('token')];
  const [operators, tokens] = await Promise.all([
    operatorIds.length > 0 ? db.prisma.operator.findMany({ where: { id: { in: operatorIds } } }) : [],
    tokenIds.length > 0 ? db.prisma.apiToken.findMany({ where: { id: { in: tokenIds } } }) : [],
  ]);
  const now = new Date();
  return new Map([
    ...operators.map((operator) => [operator.id, presentOperator(operator)] as const),
    ...tokens.map((token) => [token.id, presentToken(token, now)] as const),
  ]);
}

function presentOperator(operator: Operator): Present {
  const permissions = new Set(operator.permissions);
  return {
    rights: operatorRights(permissions),
    holdsFor: (viewer) => viewer.kind === 'operator' && !isEnded(operator, viewer.issuedAt),
    as: (viewer) => (viewer.kind === 'operator' ? { ...viewer, permissions } : viewer),
  };
}

function presentToken(token: ApiToken, now: Date): Present {
  const isHolding = isLive(token, now);
  return {
    rights: tokenRights(tokenViewer(token, null)),
    holdsFor: () => isHolding,
    as: ({ address }) => tokenViewer(token, address),
  };
}

function idOf(viewer: Viewer): string {
  return viewer.kind === 'operator' ? viewer.operatorId : viewer.tokenId;
}

/** Thousands are compared every second, and hardly ever has one changed. */
const known = new WeakMap<Viewer, string>();

function rightsOf(viewer: Viewer): string {
  const rights =
    known.get(viewer) ?? (viewer.kind === 'operator' ? operatorRights(viewer.permissions) : tokenRights(viewer));
  known.set(viewer, rights);
  return rights;
}

function operatorRights(permissions: ReadonlySet<string>): string {
  return [...permissions].toSorted().join();
}

function tokenRights({ scopes, businessNumberIds }: TokenViewer): string {
  return [...scopes, '|', ...(businessNumberIds ?? ['*'])].toSorted().join();
}
