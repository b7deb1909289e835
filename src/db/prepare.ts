import { runMigrations, Logger } from 'graphile-worker';
import pg from 'pg';
import { applyMigrations, MigrationError, missingMigrations } from './migrations.ts';

/** Brings a database up to date: our tables, then those of the job queue. Safe to repeat and to run from several processes. */
export async function prepareDatabase(url: string): Promise<string[]> {
  await reach(url);
  const applied = await applyMigrations(url);
  await runMigrations({ connectionString: url, logger: new Logger(() => () => {}) });
  return applied;
}

/** For a process that leaves the migrations to their own command. */
export async function requirePrepared(url: string): Promise<void> {
  await reach(url, async (client) => {
    const missing = await missingMigrations(client);
    if (missing.length === 0) return;
    throw new MigrationError(`Migrations are missing: ${missing.join(', ')}. Run npm run db:migrate first.`);
  });
}

/** Its sentence names host and database, never the password. */
export class DatabaseUnreachable extends Error {
  override readonly name = 'DatabaseUnreachable';
}

/** Asks something first of all: a database that cannot be reached is one sentence. */
export async function reach(url: string, ask: (client: pg.Client) => Promise<void> = async () => {}): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const { host, port, database } = client;
    throw new DatabaseUnreachable(
      `The database ${database} at ${host}:${port} cannot be reached (${why}): check DATABASE_URL.`,
      { cause: error },
    );
  }
  try {
    await ask(client);
  } finally {
    await client.end();
  }
}
