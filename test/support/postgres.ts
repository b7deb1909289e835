import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded.ts';
import { isAlive } from '../../src/db/file-lock.ts';
import { readMigrations } from '../../src/db/migrations.ts';
import { prepareDatabase } from '../../src/db/prepare.ts';
import { createLog } from '../../src/log.ts';

export interface PostgresForTests {
  readonly adminUrl: string;
  readonly template: string;
  /** Begins the name of every database of this run. */
  readonly prefix: string;
}

// Not durable, and for tests only: without it each of a run's databases waits for the disk. What is committed is
// visible to everybody all the same.
const settings = { fsync: 'off', full_page_writes: 'off', max_connections: '300' };

export async function preparePostgres(cacheDir: string): Promise<AsyncDisposable & { forTests: PostgresForTests }> {
  await using stack = new AsyncDisposableStack();
  const adminUrl = process.env.DATABASE_URL ?? (await startOwn(stack, cacheDir));
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  stack.defer(() => admin.end());
  await dropLeftOvers(admin);
  const template = await createTemplate(admin, adminUrl);
  const prefix = `test_${process.pid}_`;
  stack.defer(() => dropDatabases(admin, (name) => name.startsWith(prefix)));
  const running = stack.move();
  return {
    forTests: { adminUrl, template, prefix },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function startOwn(stack: AsyncDisposableStack, cacheDir: string): Promise<string> {
  const postgres = stack.use(await startCluster(cacheDir));
  process.on('exit', stopLater);
  stack.defer(() => void process.off('exit', stopLater));
  return postgres.url;
}

export function startCluster(cacheDir: string): Promise<EmbeddedPostgres> {
  const log = createLog({ logLevel: 'warn', logFormat: 'json' });
  return startEmbeddedPostgres({ dataDir: join(cacheDir, 'test-postgres'), log, database: 'tests', settings });
}

// On Ctrl-C vitest ends at once, without its teardown: somebody else has to stop what it leaves.
function stopLater(): void {
  const script = fileURLToPath(new URL('stop-postgres.ts', import.meta.url));
  spawn(process.execPath, [script], { detached: true, stdio: 'ignore' }).unref();
}

// Named after what is in it, so it is made again when a migration changes and kept otherwise.
async function createTemplate(admin: pg.Client, adminUrl: string): Promise<string> {
  const content = readMigrations().map(({ name, checksum }) => `${name} ${checksum}`);
  const name = `template_${createHash('sha256').update(content.join('\n')).digest('hex').slice(0, 16)}`;
  await admin.query('SELECT pg_advisory_lock(hashtext($1))', [name]);
  try {
    if ((await listDatabases(admin)).includes(name)) return name;
    const draft = `${name}_draft`;
    await admin.query(`DROP DATABASE IF EXISTS ${draft} WITH (FORCE)`);
    await admin.query(`CREATE DATABASE ${draft}`);
    await prepareDatabase(databaseUrl(adminUrl, draft));
    await admin.query(`ALTER DATABASE ${draft} RENAME TO ${name}`);
    return name;
  } finally {
    await admin.query('SELECT pg_advisory_unlock(hashtext($1))', [name]);
  }
}

async function dropLeftOvers(admin: pg.Client): Promise<void> {
  // On a server of one's own the process ids of other machines say nothing: leave those databases alone.
  if (process.env.DATABASE_URL) return;
  await dropDatabases(admin, (name) => {
    const owner = /^test_(\d+)_/.exec(name)?.[1];
    return owner !== undefined && !isAlive(Number(owner));
  });
}

async function dropDatabases(admin: pg.Client, matches: (name: string) => boolean): Promise<void> {
  for (const name of (await listDatabases(admin)).filter(matches)) {
    await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  }
}

async function listDatabases(admin: pg.Client): Promise<string[]> {
  const { rows } = await admin.query<{ datname: string }>('SELECT datname FROM pg_database');
  return rows.map((row) => row.datname);
}

export function databaseUrl(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
