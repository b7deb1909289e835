import { isLive, tokenViewer, type Viewer } from '../auth.ts';
import type { Database } from '../db/database.ts';
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
    const watched = [...options.connections()].filter((connection) => !endExpired(connection));
    if (isStopped || watched.length === 0) return;
    try {
      await options.lookAtModule();
      const presentOf = await readPresent(
        options.db,
        watched.map(({ viewer }) => viewer),
      );
      for (const connection of watched) apply(connection, presentOf(connection.viewer));
    } catch (error) {
      options.log.debug({ err: error }, 'rights could not be read; the next look tries again');
      throw error;
    }
  }
}

/** Needs no database, which may be away. */
function endExpired(connection: Watched): boolean {
  const { expiresAt } = connection.viewer;
  if (expiresAt === null || expiresAt > new Date()) return false;
  connection.refuse('Forbidden: the token expired');
  return true;
}

function apply(connection: Watched, present: Viewer | undefined): void {
  if (!present) return connection.refuse('Forbidden: signed out or revoked');
  if (rightsOf(present) !== rightsOf(connection.viewer)) connection.setViewer(present);
}

/** The viewer of each connection with the rights of this moment; null where there are none left. */
async function readPresent(db: Database, viewers: Viewer[]): Promise<(viewer: Viewer) => Viewer | undefined> {
  const ids = (kind: Viewer['kind']) => [...new Set(viewers.filter((each) => each.kind === kind).map(idOf))];
  const [operators, tokens] = await Promise.all([
    ids('operator').length > 0 ? db.prisma.operator.findMany({ where: { id: { in: ids('operator') } } }) : [],
    ids('token').length > 0 ? db.prisma.apiToken.findMany({ where: { id: { in: ids('token') } } }) : [],
  ]);
  const operatorOf = new Map(operators.map((operator) => [operator.id, operator]));
  const tokenOf = new Map(tokens.map((token) => [token.id, token]));
  return (viewer) => {
    if (viewer.kind === 'token') {
      const token = tokenOf.get(viewer.tokenId);
      return token && isLive(token, new Date()) ? tokenViewer(token, viewer.address) : undefined;
    }
    const operator = operatorOf.get(viewer.operatorId);
    if (!operator || isEnded(operator, viewer.issuedAt)) return undefined;
    return { ...viewer, permissions: new Set(operator.permissions) };
  };
}

function idOf(viewer: Viewer): string {
  return viewer.kind === 'operator' ? viewer.operatorId : viewer.tokenId;
}

function rightsOf(viewer: Viewer): string {
  if (viewer.kind === 'operator') return [...viewer.permissions].toSorted().join();
  return [...viewer.scopes, '|', ...(viewer.businessNumberIds ?? ['*'])].toSorted().join();
}
