import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startEmbeddedPostgres } from '../src/db/embedded.ts';
import { applyMigrations, migrationsDir } from '../src/db/migrations.ts';
import { createLog } from '../src/log.ts';
import { diffDatabase } from './schema-engine.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const [name] = process.argv.slice(2);

if (!name || !/^[a-z0-9_]+$/.test(name)) {
  console.error('Usage: npm run db:diff -- <name in snake_case>');
  process.exit(1);
}
await using database = await createThrowAwayDatabase();
await applyMigrations(database.url);
const script = await keepHandWritten(
  await diffDatabase(database.url, join(root, 'prisma/schema.prisma')),
  database.url,
);
if (script.trim()) writeMigration(name, script);
else console.log('The migrations already say what schema.prisma says');

// Prisma wants to drop indexes that its schema cannot express. Tables, columns and defaults that only SQL made are not
// protected: look for DROP in what comes out.
async function keepHandWritten(sql: string, url: string): Promise<string> {
  const handWritten = await readHandWrittenIndexes(url);
  return sql
    .split(/\n\n(?=-- )/)
    .filter((step) => !handWritten.some((index) => step.includes(`DROP INDEX "${index}"`)))
    .join('\n\n')
    .replace(/^-- This is an empty migration\.\s*$/m, '');
}

async function readHandWrittenIndexes(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ name: string }>(
    `SELECT indexrelid::regclass::text AS name FROM pg_index
     WHERE (indpred IS NOT NULL OR indexprs IS NOT NULL OR indnkeyatts < indnatts) AND NOT indisprimary`,
  );
  await client.end();
  return rows.map((row) => row.name.replaceAll('"', ''));
}

function writeMigration(suffix: string, sql: string): void {
  const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const folder = join(migrationsDir, `${stamp}_${suffix}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(migrationsDir, 'migration_lock.toml'), 'provider = "postgresql"\n');
  writeFileSync(join(folder, 'migration.sql'), `${sql.trim()}\n`);
  console.log(`Wrote ${join(folder, 'migration.sql')}: read it before you commit it`);
}

async function createThrowAwayDatabase(): Promise<{ url: string } & AsyncDisposable> {
  const database = `diff_${randomBytes(6).toString('hex')}`;
  const log = createLog({ logLevel: 'warn', logFormat: 'json' });
  const server = await startEmbeddedPostgres({ dataDir: join(root, '.cache/test-postgres'), log, database });
  return {
    url: server.url,
    async [Symbol.asyncDispose]() {
      const admin = new pg.Client({ connectionString: server.url.replace(`/${database}?`, '/postgres?') });
      await admin.connect();
      await admin.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
      await admin.end();
      await server[Symbol.asyncDispose]();
    },
  };
}
