import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { applyMigrations, MigrationError } from '../src/db/migrations.ts';
import { createTestDatabase, runSql, type TestDatabase } from './support/database.ts';

let database: TestDatabase;
let dir: string;

beforeEach(async () => {
  database = await createTestDatabase();
  dir = mkdtempSync(join(tmpdir(), 'cdesk-migrations-'));
  write('29990101000000_first', 'CREATE TABLE first ();');
  write('29990102000000_second', 'CREATE TABLE second (); INSERT INTO second DEFAULT VALUES;');
});

afterEach(async () => {
  rmSync(dir, { recursive: true });
  await database[Symbol.asyncDispose]();
});

it('applies what is missing, in order, once', async () => {
  const names = await applyMigrations(database.url, dir);
  const again = await applyMigrations(database.url, dir);

  expect(names).toEqual(['29990101000000_first', '29990102000000_second']);
  expect(again).toEqual([]);
});

it('lets the planner know what a migration has filled', async () => {
  write('29990103000000_third', `CREATE TABLE third AS SELECT 'a' || n AS text FROM generate_series(1, 1000) n;`);
  await applyMigrations(database.url, dir);

  const known = `SELECT reltuples::int AS rows FROM pg_class WHERE relname = 'third'`;
  expect(await runSql(database.url, known)).toEqual([{ rows: 1000 }]);
});

it('lets servers start together', async () => {
  const runs = await Promise.all([1, 2, 3, 4].map(() => applyMigrations(database.url, dir)));

  expect(runs.flat().toSorted()).toEqual(['29990101000000_first', '29990102000000_second']);
  expect(await runSql(database.url, 'SELECT count(*)::int AS count FROM second')).toEqual([{ count: 1 }]);
});

it('keeps the books that the Prisma CLI reads', async () => {
  await applyMigrations(database.url, dir);

  const rows = await runSql(
    database.url,
    `SELECT migration_name, length(checksum) AS checksum, applied_steps_count, logs,
    finished_at IS NOT NULL AS finished FROM _prisma_migrations WHERE migration_name = '29990101000000_first'`,
  );

  expect(rows).toEqual([
    { migration_name: '29990101000000_first', checksum: 64, applied_steps_count: 1, logs: null, finished: true },
  ]);
});

it('changes nothing with a migration that fails', async () => {
  write('29990103000000_third', 'CREATE TABLE third (); SELECT nonsense;');

  await expect(applyMigrations(database.url, dir)).rejects.toThrow(/29990103000000_third failed[^]*nonsense/);

  expect(await runSql(database.url, `SELECT to_regclass('third') AS "table"`)).toEqual([{ table: null }]);
});

it('refuses a migration that was changed after it was applied', async () => {
  await applyMigrations(database.url, dir);
  write('29990102000000_second', 'CREATE TABLE other ();');

  await expect(applyMigrations(database.url, dir)).rejects.toThrow(MigrationError);
});

function write(name: string, sql: string): void {
  mkdirSync(join(dir, name), { recursive: true });
  writeFileSync(join(dir, name, 'migration.sql'), sql);
}
