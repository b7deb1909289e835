import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startEmbeddedPostgres } from '../src/db/embedded.ts';
import { createLog } from '../src/log.ts';
import { cpuOf } from './cpu.ts';
import { floodWebhooks } from './ingest/flood.ts';
import { APP_SECRET, steady } from './ingest/traffic.ts';
import { figure, median, percentile, table } from './report.ts';
import { findWrk } from './wrk.ts';
import { makeFolder } from '../test/support/folder.ts';

/** How fast webhooks are taken: our server beside the same that stores nothing, and our route with one transaction each. */
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const SECONDS = Number(process.env.SECONDS ?? 4);
const WARM_UP_SECONDS = 3;
const CONCURRENT = 128;
const STEADY_PER_SECOND = 320;
/** So long that one stall of the disk is not the hundredth of all. */
const STEADY_SECONDS = 30;
const root = fileURLToPath(new URL('..', import.meta.url));

/** `most`: webhooks per second that it surely does not take. */
type Kind = { name: string; script: string[]; most: number; storesNothing?: boolean };
type Variant = Kind & { url: string; pid: number; database: pg.Client; answered: number; rounds: Round[] };
/** CPU per webhook, in microseconds. */
type Round = { perSecond: number; nodeCpu: number; postgresCpu: number };

const kinds: Kind[] = [
  { name: 'ours: batches, durable', script: ['src/main.ts'], most: 12_000 },
  { name: 'the same server, no database', script: ['bench/ingest/server-alone.ts'], most: 30_000, storesNothing: true },
  {
    name: 'its route in a bare server, no database',
    script: ['bench/ingest/variant.ts', 'nothing'],
    most: 30_000,
    storesNothing: true,
  },
  { name: 'one hand-written transaction each', script: ['bench/ingest/variant.ts', 'hand'], most: 5_000 },
  { name: 'one Prisma transaction each', script: ['bench/ingest/variant.ts', 'prisma'], most: 1_500 },
];

await using stack = new AsyncDisposableStack();
const folder = await makeFolder('cdesk-bench-');
stack.defer(() => rm(folder, { recursive: true, force: true }));
const log = createLog({ logLevel: 'warn', logFormat: 'json' });
const postgres = stack.use(await startEmbeddedPostgres({ dataDir: folder, log }));

const wrk = await findWrk();

const variants: Variant[] = [];
for (const [index, kind] of kinds.entries())
  variants.push(await start(kind, `bench_${index}`, join(folder, `${index}`)));
// Not measured: connections, plans and compiled code come first.
for (const variant of variants) await measure(variant, WARM_UP_SECONDS);
for (let round = 0; round < ROUNDS; round++) {
  for (const variant of variants) variant.rounds.push(await measure(variant, SECONDS));
}
for (const variant of variants) await checkStored(variant);
// What the floods left to be written to the disk is not this load's doing.
await variants[0]?.database.query('CHECKPOINT');
// This process compiles its own code first, on a server that is not measured.
await steady(variants[1]?.url ?? '', STEADY_PER_SECOND * 4, SECONDS * 2);
const latencies = await steady(variants[0]?.url ?? '', STEADY_PER_SECOND, STEADY_SECONDS);
report();

async function measure(variant: Variant, seconds: number): Promise<Round> {
  const { url, pid, database, most } = variant;
  const { rows } = await database.query<{ pid: number }>('SELECT pid FROM pg_stat_activity');
  const postgresPids = rows.map((row) => row.pid);
  const before = { node: cpuOf([pid]), postgres: cpuOf(postgresPids) };
  const { perSecond, answered } = await floodWebhooks(wrk, url, { seconds, concurrent: CONCURRENT, most });
  variant.answered += answered;
  return {
    perSecond,
    nodeCpu: (cpuOf([pid]) - before.node) / answered,
    postgresCpu: (cpuOf(postgresPids) - before.postgres) / answered,
  };
}

/** Each 200 stands for a message; those under way when the load ended were stored, too, and not counted. */
async function checkStored({ name, storesNothing, database, answered }: Variant): Promise<void> {
  if (storesNothing) return;
  const { rows } = await database.query<{ count: number }>('SELECT count(*)::int AS count FROM message');
  const count = rows[0]?.count ?? 0;
  if (count < answered || count > answered + CONCURRENT * (ROUNDS + 1))
    throw new Error(`${name}: ${answered} webhooks were answered with 200, and ${count} messages are stored`);
}

function report(): void {
  const rates = variants.map(({ rounds }) => rounds.map(({ perSecond }) => perSecond));
  const [ours, server, , hand, prisma] = rates.map(median);
  table(
    [
      'webhooks/s',
      'median',
      'least',
      'most',
      'us Node',
      'us PostgreSQL',
      `${ROUNDS} x ${SECONDS} s, ${CONCURRENT} at once`,
    ],
    variants.map(({ name, rounds }, index) => [
      name,
      median(rates[index] ?? []).toFixed(0),
      Math.min(...(rates[index] ?? [])).toFixed(0),
      Math.max(...(rates[index] ?? [])).toFixed(0),
      median(rounds.map(({ nodeCpu }) => nodeCpu)).toFixed(0),
      median(rounds.map(({ postgresCpu }) => postgresCpu)).toFixed(0),
    ]),
  );
  table(
    [`at ${STEADY_PER_SECOND} webhooks/s`, 'ms'],
    [50, 90, 99, 100].map((percent) => [
      percent === 100 ? 'longest' : `p${percent}`,
      percentile(latencies, percent).toFixed(2),
    ]),
  );
  figure('ingest.vs_no_database', (ours ?? 0) / (server ?? 1));
  figure('ingest.vs_hand_transaction', (ours ?? 0) / (hand ?? 1));
  figure('ingest.vs_prisma_transaction', (ours ?? 0) / (prisma ?? 1));
  figure('ingest.p99_ms_at_320', percentile(latencies, 99));
}

async function createDatabase(name: string): Promise<{ database: pg.Client; databaseUrl: string }> {
  const admin = new pg.Client({ connectionString: postgres.url });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.end();
  const url = new URL(postgres.url);
  url.pathname = `/${name}`;
  const database = new pg.Client({ connectionString: url.href });
  await database.connect();
  stack.defer(() => database.end());
  return { database, databaseUrl: url.href };
}

async function start(kind: Kind, databaseName: string, dataDir: string): Promise<Variant> {
  const { script } = kind;
  const { database, databaseUrl } = await createDatabase(databaseName);
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
  const url = await promise;
  return { ...kind, url, pid: child.pid ?? 0, database, answered: 0, rounds: [] };
}
