import { join } from 'node:path';
import { findProgram, type Program } from './debian-program.ts';

export type RedisProgram = Program;

export function findRedisProgram(cacheDir: string, mayDownload: boolean): Promise<RedisProgram | undefined> {
  return findProgram({
    path: 'usr/bin/redis-server',
    packages: ['redis-server', 'redis-tools'],
    folder: join(cacheDir, 'redis'),
    mayDownload,
  });
}
