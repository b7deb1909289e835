import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

export const migrationsDir = fileURLToPath(new URL('../../prisma/migrations', import.meta.url));

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

interface MigrationRow {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished_at: Date | null;
}

export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

// The number that the Prisma CLI locks: it and servers that start together wait for each other.
const migrationLock = 72707369;

// Word for word the CLI's own table, so that either can go on where the other stopped.
const createTable = `
CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id                  VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum            VARCHAR(64) NOT NULL,
  finished_at         TIMESTAMPTZ,
  migration_name      VARCHAR(255) NOT NULL,
  logs                TEXT,
  rolled_back_at      TIMESTAMPTZ,
  started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
  applied_steps_count INTEGER NOT NULL DEFAULT 0
)`;

/** Applies what is missing, each migration in a transaction of its own, and returns the names of those it applied. */
export async function applyMigrations(url: string, dir = migrationsDir): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const applied: string[] = [];
    for (const migration of pending(readMigrations(dir), await readRows(client))) {
      if (await applyOne(client, migration)) applied.push(migration.name);
    }
    // The planner's guesses choose how a search is done, and autovacuum may take minutes to see a column that was filled.
    if (applied.length > 0) await client.query('ANALYZE');
    return applied;
  } finally {
    await client.end();
  }
}

/** Names of the migrations that this program knows and the database has not applied. */
export async function missingMigrations(database: pg.Pool | pg.Client): Promise<string[]> {
  const { rows: tables } = await database.query(`SELECT FROM pg_class WHERE oid = to_regclass('_prisma_migrations')`);
  if (tables.length === 0) return [...knownNames()];
  const { rows } = await database.query<{ name: string }>(
    'SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
  );
  const applied = new Set(rows.map(({ name }) => name));
  return knownNames().filter((name) => !applied.has(name));
}

let names: string[] | undefined;

function knownNames(): string[] {
  return (names ??= readMigrations().map(({ name }) => name));
}

export function readMigrations(dir = migrationsDir): Migration[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted()
    .map((name) => {
      const sql = readFileSync(join(dir, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    });
}

async function applyOne(client: pg.Client, migration: Migration): Promise<boolean> {
  try {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [migrationLock]);
    await client.query(createTable);
    // Asked again under the lock: another server may have been faster.
    const isMissing = pending([migration], await readRows(client)).length > 0;
    if (isMissing) {
      await client.query(migration.sql);
      await client.query(
        `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
         VALUES (gen_random_uuid()::text, $1, $2, clock_timestamp(), 1)`,
        [migration.checksum, migration.name],
      );
    }
    await client.query('COMMIT');
    return isMissing;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    if (error instanceof MigrationError) throw error;
    throw new MigrationError(`Migration ${migration.name} failed and changed nothing: ${describe(error)}`, {
      cause: error,
    });
  }
}

function pending(migrations: readonly Migration[], rows: readonly MigrationRow[]): Migration[] {
  const rowsByName = new Map(rows.map((row) => [row.migration_name, row]));
  return migrations.filter(({ name, checksum }) => {
    const row = rowsByName.get(name);
    if (!row) return true;
    if (!row.finished_at) {
      throw new MigrationError(`Migration ${name} was left half done: repair it and run "prisma migrate resolve"`);
    }
    if (row.checksum === checksum) return false;
    throw new MigrationError(
      `Migration ${name} was changed after this database had applied it: restore the file, or start with a new database`,
    );
  });
}

async function readRows(client: pg.Client): Promise<MigrationRow[]> {
  try {
    const { rows } = await client.query<MigrationRow>(
      'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL',
    );
    return rows;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === '42P01') return [];
    throw error;
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const position = error instanceof pg.DatabaseError && error.position ? ` (at character ${error.position})` : '';
  return `${error.message}${position}`;
}
