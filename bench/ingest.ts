import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startEmbeddedPostgres } from '../src/db/embedded.ts';
import { createLog } from '../src/log.ts';
import { APP_SECRET, flood, steady } from './ingest/traffic.ts';
import { figure, median, percentile, table } from './report.ts';

/** How fast webhooks are taken: our route beside the same route with nothing, or with one transaction each, behind it. */
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const SECONDS = Number(process.env.SECONDS ?? 4);
const CONCURRENT = 128;
const STEADY_PER_SECOND = 320;
const root = fileURLToPath(new URL('..', import.meta.url));

type Variant = { name: string; script: string[]; expected: number; rates: number[] };

const variants: Variant[] = [
  { name: 'ours: batches, durable', script: ['src/main.ts'], expected: 4_000, rates: [] },
  { name: 'the same route, no database', script: ['bench/ingest/variant.ts', 'nothing'], expected: 8_000, rates: [] },
  {
    name: 'one hand-written transaction each',
    script: ['bench/ingest/variant.ts', 'hand'],
    expected: 1_500,
    rates: [],
  },
  { name: 'one Prisma transaction each', script: ['bench/ingest/variant.ts', 'prisma'], expected: 300, rates: [] },
];

await using stack = new AsyncDisposableStack();
const folder = await mkdtemp(join(tmpdir(), 'cdesk-bench-'));
stack.defer(() => rm(folder, { recursive: true, force: true }));
const log = createLog({ logLevel: 'warn', logFormat: 'json' });
const postgres = stack.use(await startEmbeddedPostgres({ dataDir: folder, log }));

const urls: string[] = [];
for (const [index, variant] of variants.entries()) {
  urls.push(await start(variant, await createDatabase(`bench_${index}`), join(folder, String(index))));
}
// Not measured: connections, plans and compiled code come first.
for (const [index, variant] of variants.entries()) await flood(urls[index] ?? '', 1, CONCURRENT, variant.expected);
for (let round = 0; round < ROUNDS; round++) {
  for (const [index, variant] of variants.entries()) {
    variant.rates.push(await flood(urls[index] ?? '', SECONDS, CONCURRENT, variant.expected));
  }
}
const latencies = await steady(urls[0] ?? '', STEADY_PER_SECOND, SECONDS * 2);
report();

function report(): void {
  const [ours, nothing, hand, prisma] = variants.map((variant) => median(variant.rates));
  table(
    ['webhooks/s', 'median', 'least', 'most', `of ${ROUNDS} rounds of ${SECONDS} s, ${CONCURRENT} at once`],
    variants.map(({ name, rates }) => [
      name,
      median(rates).toFixed(0),
      Math.min(...rates).toFixed(0),
      Math.max(...rates).toFixed(0),
    ]),
  );
  table(
    [`at ${STEADY_PER_SECOND} webhooks/s`, 'ms'],
    [50, 90, 99, 100].map((percent) => [
      percent === 100 ? 'longest' : `p${percent}`,
      percentile(latencies, percent).toFixed(2),
    ]),
  );
  figure('ingest.vs_no_database', (ours ?? 0) / (nothing ?? 1));
  figure('ingest.vs_hand_transaction', (ours ?? 0) / (hand ?? 1));
  figure('ingest.vs_prisma_transaction', (ours ?? 0) / (prisma ?? 1));
  figure('ingest.p99_ms_at_320', percentile(latencies, 99));
}

async function createDatabase(name: string): Promise<string> {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  const url = new URL(postgres.url);
  url.pathname = `/${name}`;
  return url.href;
}

async function start({ script }: Variant, databaseUrl: string, dataDir: string): Promise<string> {
  const child = spawn(process.execPath, script, {
    cwd: root,
    env: {
      ...process.env,
      NODE_ENV: 'development',
      DATABASE_URL: databaseUrl,
      DATA_DIR: dataDir,
      META_APP_SECRET: APP_SECRET,
      PORT: '0',
      ROLE: 'api',
      DATABASE_POOL_SIZE: '24',
      LOG_LEVEL: 'info',
      LOG_FORMAT: 'json',
      WEBHOOK_RATE_LIMIT_PER_SECOND: '0',
      ADDRESS_RATE_LIMIT_PER_MINUTE: '0',
      RATE_LIMIT_PER_MINUTE: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  stack.defer(async () => {
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await ended;
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    const url = /"url":"(http[^"]+)","msg":"listening"/.exec(output)?.[1];
    if (url) resolve(url);
  });
  child.once('close', () => reject(new Error(`${script.join(' ')} did not start: ${output}`)));
  return promise;
}
