import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startEmbeddedPostgres } from '../src/db/embedded.ts';
import { createLog } from '../src/log.ts';
import { runSql } from './support/database.ts';

const log = createLog({ logLevel: 'silent', logFormat: 'json' });
let dataDir: string;

beforeAll(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'cdesk-postgres-'));
  chmodSync(dataDir, 0o755);
});

afterAll(() => rmSync(dataDir, { recursive: true }));

it('is a durable UTF-8 cluster that keeps its data', async () => {
  {
    await using postgres = await startEmbeddedPostgres({ dataDir, log });
    await runSql(postgres.url, `CREATE TABLE kept AS SELECT 'Příliš žluťoučký' AS text; CREATE EXTENSION pg_trgm`);
  }
  await using postgres = await startEmbeddedPostgres({ dataDir, log });

  const rows = await runSql(
    postgres.url,
    `SELECT upper(text) AS text, current_database() AS name, current_setting('server_encoding') AS encoding,
       current_setting('fsync') AS fsync, cardinality(show_trgm('привет')) AS cyrillic FROM kept`,
  );

  expect(rows).toEqual([{ text: 'PŘÍLIŠ ŽLUŤOUČKÝ', name: 'cdesk_chats', encoding: 'UTF8', fsync: 'on', cyrillic: 7 }]);
});

it('runs until the last of its users has left', async () => {
  const [first, second] = await Promise.all([
    startEmbeddedPostgres({ dataDir, log }),
    startEmbeddedPostgres({ dataDir, log }),
  ]);

  await first[Symbol.asyncDispose]();

  expect(await runSql(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await second[Symbol.asyncDispose]();
  await expect(runSql(second.url, 'SELECT 1')).rejects.toThrow(/ECONNREFUSED/);
});

it('joins a PostgreSQL whose server was killed, and stops it', async () => {
  const url = await startAndKillServer();
  const postgres = await startEmbeddedPostgres({ dataDir, log });

  expect(new URL(postgres.url).port).toBe(new URL(url).port);
  await postgres[Symbol.asyncDispose]();
  await expect(runSql(url, 'SELECT 1')).rejects.toThrow(/ECONNREFUSED/);
});

it('says what to do when the folder cannot be written', async () => {
  const file = join(dataDir, 'a-file');
  writeFileSync(file, '');

  await expect(startEmbeddedPostgres({ dataDir: join(file, 'data'), log })).rejects.toThrow(
    /is not writable: set DATA_DIR/,
  );
});

async function startAndKillServer(): Promise<string> {
  const module = fileURLToPath(new URL('../src/db/embedded.ts', import.meta.url));
  const script = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(module)});
    const { url } = await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, log: { debug() {}, error() {} } });
    process.stdout.write(url);`;
  const server = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url] = await once(server.stdout, 'data');
  server.kill('SIGKILL');
  await once(server, 'exit');
  return String(url);
}
