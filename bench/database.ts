import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startEmbeddedPostgres } from '../src/db/embedded.ts';
import { openDatabase } from '../src/db/database.ts';
import { prepareDatabase } from '../src/db/prepare.ts';
import { seedDemo } from '../src/demo-data.ts';
import { loadEnv } from '../src/env.ts';
import { createLog } from '../src/log.ts';
import { seed, type Size } from './seed.ts';

const dataDir = fileURLToPath(new URL('../.cache/bench-postgres', import.meta.url));

const thousand = (count: number) => `${Math.round(count / 1_000)}k`;

/** A seeded database of this size, made once and kept: it takes minutes. BENCH_DATABASE_URL names a server of one's own. */
export async function openSeededDatabase(size: Size): Promise<AsyncDisposable & { url: string }> {
  await using undo = new AsyncDisposableStack();
  const log = createLog({ logLevel: 'warn', logFormat: 'json' });
  const name = `bench_${thousand(size.conversations)}_${thousand(size.conversations * size.messagesEach)}`;
  const settings = { shared_buffers: '1GB', maintenance_work_mem: '512MB', max_wal_size: '4GB' };
  const url =
    process.env.BENCH_DATABASE_URL ??
    undo.use(await startEmbeddedPostgres({ dataDir, log, database: name, settings })).url;
  if (await isSeeded(url, size)) await prepareDatabase(url);
  else await fill(url, size);
  const parts = undo.move();
  return { url, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

async function isSeeded(url: string, size: Size): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ count: number }>('SELECT count(*)::int AS count FROM conversation');
    if (rows[0]?.count === size.conversations) return true;
    if (rows[0]?.count === 0) return false;
    throw new Error(
      `The database holds ${rows[0]?.count} conversations instead of ${size.conversations}: drop it first.`,
    );
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === '42P01') return false;
    throw error;
  } finally {
    await client.end();
  }
}

async function fill(url: string, size: Size): Promise<void> {
  const begun = performance.now();
  await prepareDatabase(url);
  const db = openDatabase({ url, poolSize: 2 });
  await seedDemo(db, loadEnv({ ...process.env, DATABASE_URL: url }));
  await db[Symbol.asyncDispose]();
  await seed(url, size, (done) => {
    const share = Math.round((done / size.conversations) * 100);
    process.stdout.write(`\rseeding: ${done} of ${size.conversations} conversations (${share} %)`);
  });
  console.log(`\nseeded in ${((performance.now() - begun) / 1_000).toFixed(0)} s`);
}
