import { Redis } from 'ioredis';
import { inject } from 'vitest';
import { type RedisServer, startRedis } from './redis-server.ts';

/**
 * An empty Redis database that no other test file uses at the same time: files of one worker run one after another, so
 * the worker's number tells them apart.
 */
export async function createTestRedis(): Promise<{ url: string }> {
  const url = new URL(inject('redisUrl'));
  url.pathname = `/${process.env.VITEST_POOL_ID ?? 1}`;
  const client = new Redis(url.href, { lazyConnect: true });
  await client.connect();
  await client.flushdb();
  client.disconnect();
  return { url: url.href };
}

/** A server of one's own, to be killed and restarted. */
export function startRedisServer(): Promise<RedisServer> {
  const program = inject('redisProgram');
  if (!program) throw new Error('This test needs redis-server on the PATH');
  return startRedis(program);
}
