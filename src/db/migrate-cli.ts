import { loadEnv } from '../env.ts';
import { createLog } from '../log.ts';
import { startEmbeddedPostgres } from './embedded.ts';
import { prepareDatabase } from './prepare.ts';

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const env = loadEnv();
  await using embedded = env.databaseUrl
    ? undefined
    : await startEmbeddedPostgres({ dataDir: env.dataDir, log: createLog(env) });
  const applied = await prepareDatabase(env.databaseUrl ?? embedded?.url ?? '');
  console.log(applied.length > 0 ? `Applied: ${applied.join(', ')}` : 'The database is up to date');
}
