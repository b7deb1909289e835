import { tokenViewer, type Viewer } from '../auth.ts';
import type { Database } from '../db/database.ts';
import type { Log } from '../log.ts';

type Watched = { viewer: Viewer; setViewer(viewer: Viewer): void; refuse(reason: string): void };

const LOOK_MS = 1_000;

/** Looks at the present rights of everyone connected: whoever lost theirs is cut off within seconds, on every process. */
export function createAccessWatch(options: {
  db: Database;
  connections: () => Iterable<Watched>;
  log: Log;
}): AsyncDisposable {
  let isStopped = false;
  let running: Promise<void> = Promise.resolve();
  const timer = setInterval(() => void (running = running.then(look)), LOOK_MS);

  async function look(): Promise<void> {
    const watched = [...options.connections()];
    if (isStopped || watched.length === 0) return;
    try {
      const present = await presentViewers(
        options.db,
        watched.map(({ viewer }) => viewer),
      );
      for (const connection of watched) apply(connection, present.get(idOf(connection.viewer)));
    } catch (error) {
      options.log.debug({ err: error }, 'rights could not be read; the next look tries again');
    }
  }

  return {
    async [Symbol.asyncDispose]() {
      isStopped = true;
      clearInterval(timer);
      await running;
    },
  };
}

function apply(connection: Watched, present: Viewer | undefined): void {
  if (!present) return connection.refuse('Forbidden: signed out or revoked');
  if (rightsOf(present) !== rightsOf(connection.viewer))
    connection.setViewer({ ...present, address: connection.viewer.address, expiresAt: connection.viewer.expiresAt });
}

async function presentViewers(db: Database, viewers: Viewer[]): Promise<Map<string, Viewer>> {
  const operatorIds = viewers.flatMap((viewer) => (viewer.kind === 'operator' ? viewer.operatorId : []));
  const tokenIds = viewers.flatMap((viewer) => (viewer.kind === 'token' ? viewer.tokenId : []));
  const [operators, tokens] = await Promise.all([
    operatorIds.length > 0
      ? db.prisma.operator.findMany({ where: { id: { in: [...new Set(operatorIds)] }, deactivatedAt: null } })
      : [],
    tokenIds.length > 0
      ? db.prisma.apiToken.findMany({ where: { id: { in: [...new Set(tokenIds)] }, revokedAt: null } })
      : [],
  ]);
  const present = new Map<string, Viewer>();
  for (const { id, permissions } of operators) {
    present.set(id, {
      kind: 'operator',
      operatorId: id,
      permissions: new Set(permissions),
      address: null,
      expiresAt: null,
    });
  }
  for (const token of tokens)
    if (!token.expiresAt || token.expiresAt > new Date()) present.set(token.id, tokenViewer(token, null));
  return present;
}

function idOf(viewer: Viewer): string {
  return viewer.kind === 'operator' ? viewer.operatorId : viewer.tokenId;
}

function rightsOf(viewer: Viewer): string {
  if (viewer.kind === 'operator') return [...viewer.permissions].toSorted().join();
  return [...viewer.scopes, '|', ...(viewer.businessNumberIds ?? ['*'])].toSorted().join();
}
