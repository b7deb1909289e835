import { openDatabase } from '../src/db/database.ts';
import { startEmbeddedPostgres } from '../src/db/embedded.ts';
import { loadEnv } from '../src/env.ts';
import { createLog } from '../src/log.ts';
import { resealSecrets } from '../src/services/key-rotation.ts';
import { keyringOf } from '../src/services/module-watch.ts';

// Set ENCRYPTION_KEY to the new key and ENCRYPTION_KEY_PREVIOUS to the old one, for the servers and for this command.
try {
  const env = loadEnv();
  await using embedded = env.databaseUrl
    ? undefined
    : await startEmbeddedPostgres({ dataDir: env.dataDir, log: createLog(env) });
  await using db = openDatabase({ url: env.databaseUrl ?? embedded?.url ?? '', poolSize: 2 });
  const resealed = await resealSecrets(db, keyringOf(env));
  console.log(
    resealed.length > 0
      ? `Sealed with the new key: ${resealed.join(', ')}. Once every process has the new key, remove ENCRYPTION_KEY_PREVIOUS.`
      : 'Everything is sealed with the present key already.',
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
