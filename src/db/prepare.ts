import { runMigrations, Logger } from 'graphile-worker';
import { applyMigrations } from './migrations.ts';

/** Brings a database up to date: our tables, then those of the job queue. Safe to repeat and to run from several processes. */
export async function prepareDatabase(url: string): Promise<string[]> {
  const applied = await applyMigrations(url);
  await runMigrations({ connectionString: url, logger: new Logger(() => () => {}) });
  return applied;
}
