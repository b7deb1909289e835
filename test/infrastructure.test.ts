import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { createTestDatabase, runSql } from './support/database.ts';
import { createTestRedis, startRedisServer } from './support/redis.ts';

it('gives every file a database of its own', async () => {
  await using one = await createTestDatabase();
  await using other = await createTestDatabase();

  await runSql(one.url, 'CREATE TABLE only_here ()');

  expect(await runSql(other.url, `SELECT to_regclass('only_here') AS "table"`)).toEqual([{ table: null }]);
});

it('empties the Redis database that a file is given', async () => {
  const { url } = await createTestRedis();
  await withRedis(url, (redis) => redis.set('key', 'value'));

  await createTestRedis();

  expect(await withRedis(url, (redis) => redis.get('key'))).toBeNull();
});

it('brings a killed Redis back on the same port', async () => {
  await using server = await startRedisServer();

  await server.kill();
  await server.start();

  expect(await withRedis(server.url, (redis) => redis.ping())).toBe('PONG');
});

async function withRedis<T>(url: string, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true });
  await redis.connect();
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}
