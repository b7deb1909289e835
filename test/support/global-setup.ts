import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { preparePostgres, type PostgresForTests } from './postgres.ts';
import { findRedisProgram, type RedisProgram } from './redis-program.ts';
import { startRedis } from './redis-server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    postgres: PostgresForTests;
    redisUrl: string;
    redisProgram: RedisProgram | null;
  }
}

const cacheDir = fileURLToPath(new URL('../../.cache', import.meta.url));

/** One PostgreSQL and one Redis for the whole run: those of the environment, or ones that start and stop with it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await using stack = new AsyncDisposableStack();
  project.provide('postgres', stack.use(await preparePostgres(cacheDir)).forTests);
  const program = await findRedisProgram(cacheDir, process.env.REDIS_URL === undefined);
  project.provide('redisProgram', program ?? null);
  project.provide('redisUrl', process.env.REDIS_URL ?? (await startOwnRedis(stack, program)));
  const running = stack.move();
  return () => running.disposeAsync();
}

async function startOwnRedis(stack: AsyncDisposableStack, program: RedisProgram | undefined): Promise<string> {
  if (!program)
    throw new Error('Redis is missing: install redis-server, or set REDIS_URL to a Redis that may be emptied');
  return stack.use(await startRedis(program)).url;
}
