import { EmbeddedPostgresError } from './db/embedded-home.ts';
import { MigrationError } from './db/migrations.ts';
import { DatabaseUnreachable } from './db/prepare.ts';
import { DevSecretsError } from './dev-secrets.ts';
import { EnvError, loadEnv } from './env.ts';
import { createLog } from './log.ts';
import { startServer } from './server.ts';
import { CannotListen } from './server/listening.ts';
import { welcome } from './welcome.ts';

const EXPECTED = [EnvError, DevSecretsError, EmbeddedPostgresError, DatabaseUnreachable, MigrationError, CannotListen];

try {
  const env = loadEnv();
  const log = createLog(env);
  // From now on: a start that is cut short would leave its PostgreSQL behind. A second signal ends the process at once.
  const stopped = signal();
  const server = await startServer({ env, log });
  log.info({ url: server.url }, 'listening');
  if (env.nodeEnv === 'development') console.log(await welcome(env, server));
  await stopped;
  log.info('stopping');
  await server[Symbol.asyncDispose]();
} catch (error) {
  // What a person can mend is one sentence; anything else needs its stack.
  console.error(EXPECTED.some((kind) => error instanceof kind) && error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function signal(): Promise<unknown> {
  return Promise.race(['SIGINT', 'SIGTERM'].map((name) => new Promise((resolve) => process.once(name, resolve))));
}
