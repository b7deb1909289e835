import { EmbeddedPostgresError } from './db/embedded-home.ts';
import { MigrationError } from './db/migrations.ts';
import { DatabaseUnreachable } from './db/prepare.ts';
import { DevSecretsError } from './dev-secrets.ts';
import { EnvError, loadEnv } from './env.ts';
import { createLog, type Log } from './log.ts';
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
  const failure = await Promise.race([stopped, server.failed]);
  log.info('stopping');
  // Whatever it waits for then, it loses nothing by not waiting.
  setTimeout(() => endAtOnce(log), 2 * env.shutdownGraceMs + env.metaTimeoutMs).unref();
  await server[Symbol.asyncDispose]();
  if (failure !== null) fail(failure);
  // The libraries' timers would hold it up where the database is away.
  process.exit();
} catch (error) {
  // What a person can mend is one sentence; anything else needs its stack.
  fail(EXPECTED.some((kind) => error instanceof kind) && error instanceof Error ? error.message : error);
}

function fail(why: unknown): void {
  console.error(why);
  process.exitCode = 1;
}

function endAtOnce(log: Log): never {
  log.error('the stop took too long and is broken off');
  process.exit(1);
}

function signal(): Promise<null> {
  return new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => resolve(null));
  });
}
