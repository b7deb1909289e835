import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { type Cluster, createCluster, startCluster, stopCluster } from './embedded-cluster.ts';
import { EmbeddedPostgresError, prepareHome } from './embedded-home.ts';
import type { Log } from '../log.ts';
import { withFileLock } from './file-lock.ts';

export interface EmbeddedPostgres extends AsyncDisposable {
  readonly url: string;
}

export interface EmbeddedOptions {
  readonly dataDir: string;
  readonly log: Log;
  readonly database?: string;
  /** Settings of PostgreSQL beyond the defaults, such as `{ fsync: 'off' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * Starts the PostgreSQL that comes with the packages, or joins the one that already runs on this data folder: left over
 * by a process that was killed, or started by another one. Whoever leaves last stops it.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const { log, database = 'cdesk_chats', settings = {} } = options;
  const dataDir = resolve(options.dataDir);
  const home = await prepareHome(dataDir);
  // Tells this user's connections from those of others on the same cluster.
  const user = `cdesk-chats-${process.pid}-${randomBytes(3).toString('hex')}`;
  const lockFile = join(dataDir, 'postgres.lock');
  const { cluster, presence } = await withFileLock(lockFile, async () => {
    await createCluster(home);
    const running = await startCluster(home, settings);
    return { cluster: running, presence: await connect(clusterUrl(running, 'postgres', user), log) };
  });
  await ensureDatabase(presence, database);
  if (home.account && !home.clusterDir.startsWith(dataDir))
    log.info(
      { folder: home.clusterDir },
      `the database is not in ${dataDir}: PostgreSQL does not run as root, and its account cannot reach that folder`,
    );
  log.debug({ port: cluster.port, pid: cluster.pid, folder: home.clusterDir }, 'Embedded PostgreSQL is ready');
  return {
    url: clusterUrl(cluster, database, user),
    [Symbol.asyncDispose]: () =>
      withFileLock(lockFile, async () => {
        const others = await countOthers(presence, user);
        await presence.end().catch(() => undefined);
        if (others === 0) return stopCluster(home, cluster.pid);
        log.debug({ others }, 'Embedded PostgreSQL keeps running for others');
      }),
  };
}

// Held for as long as this process uses the cluster: it tells other processes not to stop it, and this one that it died.
async function connect(url: string, log: Log): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', (error) => {
    log.error({ err: error }, 'The embedded PostgreSQL stopped under this process: start the server again');
  });
  await client.connect();
  return client;
}

async function ensureDatabase(client: pg.Client, name: string): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
  if (rowCount) return;
  try {
    await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
  } catch (error) {
    // 42P04 and 23505: another process made it in the same moment.
    if (error instanceof pg.DatabaseError && ['42P04', '23505'].includes(error.code ?? '')) return;
    throw new EmbeddedPostgresError(`The database ${name} cannot be created in the embedded PostgreSQL`, error);
  }
}

async function countOthers(client: pg.Client, user: string): Promise<number> {
  try {
    const { rows } = await client.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM pg_stat_activity
       WHERE backend_type = 'client backend' AND application_name <> $1`,
      [user],
    );
    return rows[0]?.count ?? 0;
  } catch {
    return 0; // It is down already.
  }
}

function clusterUrl({ port, password }: Cluster, database: string, user: string): string {
  return `postgresql://postgres:${password}@127.0.0.1:${port}/${database}?application_name=${user}`;
}
