import { loadEnv } from '../src/env.ts';
import { openSeededDatabase } from './database.ts';
import { load, type Measured } from './list/load.ts';
import { startAll } from './list/servers.ts';
import { measureStatements } from './list/statements.ts';
import { detailLatencies } from './list/detail.ts';
import { variants } from './list/variants.ts';
import { figure, median, percentile, table } from './report.ts';
import { findWrk } from './wrk.ts';

/** The 50-row list, interleaved with what else could serve it, and the statements behind lists, searches and figures. */
const CONVERSATIONS = Number(process.env.CONVERSATIONS ?? 200_000);
const MESSAGES_EACH = Number(process.env.MESSAGES_EACH ?? 10);
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const SECONDS = Number(process.env.SECONDS ?? 3);
const WARM_UP_SECONDS = 2;
const CONNECTIONS = 16;

await using database = await openSeededDatabase({ conversations: CONVERSATIONS, messagesEach: MESSAGES_EACH });
const settings = {
  DATABASE_URL: database.url,
  NODE_ENV: 'production',
  LOG_LEVEL: 'warn',
  ROLE: 'api',
  SANDBOX: 'off',
  META_APP_SECRET: 'benchmark',
  JWT_SECRET: 'a secret of the benchmark, 32 or more',
  ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
  RATE_LIMIT_PER_MINUTE: '0',
  ADDRESS_RATE_LIMIT_PER_MINUTE: '0',
  WEBHOOK_RATE_LIMIT_PER_SECOND: '0',
};
const env = loadEnv({ ...process.env, ...settings });
const wrk = await findWrk();

{
  await using servers = await startAll(variants, settings, env);
  const rounds = new Map<string, Measured[]>(variants.map(({ name }) => [name, []]));
  for (const server of servers.running) await load(wrk, server, { connections: CONNECTIONS, seconds: WARM_UP_SECONDS });
  for (let round = 0; round < ROUNDS; round++) {
    for (const server of servers.running)
      rounds.get(server.name)?.push(await load(wrk, server, { connections: CONNECTIONS, seconds: SECONDS }));
  }
  printLists(rounds);
  const [own] = servers.running;
  if (own) printDetail(await detailLatencies(own, database.url));
}
const statements = await measureStatements(database.url);
table(
  ['statement', 'median, ms', 'p95, ms'],
  statements.all.map(({ name, ms }) => [name, median(ms).toFixed(2), percentile(ms, 95).toFixed(2)]),
);
figure('list.deep_page', median(statements.deepPage) / median(statements.firstPage));
figure('search.p95_ms', Math.max(...statements.searches.map((ms) => percentile(ms, 95))));
figure('summary.p95_ms', percentile(statements.summary, 95));

function printLists(rounds: ReadonlyMap<string, Measured[]>): void {
  const rates = (name: string) => (rounds.get(name) ?? []).map(({ perSecond }) => perSecond);
  const p99 = (name: string) => median((rounds.get(name) ?? []).map(({ p99Ms }) => p99Ms));
  const [own = '', bare = '', postgraphile = '', pluginPrisma = ''] = variants.map(({ name }) => name);
  table(
    ['50-row list', 'requests/s', 'min-max', 'p99, ms', 'CPU of the process, ms'],
    [...rounds.keys()].map((name) => [
      name,
      median(rates(name)).toFixed(0),
      `${Math.min(...rates(name)).toFixed(0)}-${Math.max(...rates(name)).toFixed(0)}`,
      p99(name).toFixed(1),
      median((rounds.get(name) ?? []).map(({ cpuMs }) => cpuMs)).toFixed(2),
    ]),
  );
  figure('list.vs_postgraphile', median(rates(own)) / median(rates(postgraphile)));
  figure('list.p99_vs_postgraphile', p99(own) / p99(postgraphile));
  figure('list.vs_no_graphql', median(rates(own)) / median(rates(bare)));
  figure('list.vs_plugin_prisma', median(rates(own)) / median(rates(pluginPrisma)));
}

function printDetail(ms: number[]): void {
  table(
    ['the whole detail', 'median, ms', 'p95, ms'],
    [['over HTTP', median(ms).toFixed(1), percentile(ms, 95).toFixed(1)]],
  );
  figure('detail.p95_ms', percentile(ms, 95));
}
