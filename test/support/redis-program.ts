import { execFile } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

export interface RedisProgram {
  readonly path: string;
  readonly libraryPath?: string;
}

const run = promisify(execFile);

/** `redis-server` of this machine, or Debian's packages unpacked into the cache folder: no root, nothing installed. */
export async function findRedisProgram(cacheDir: string, mayDownload: boolean): Promise<RedisProgram | undefined> {
  const installed = process.env.PATH?.split(delimiter)
    .map((folder) => join(folder, 'redis-server'))
    .find((path) => existsSync(path));
  if (installed) return { path: installed };
  const folder = join(cacheDir, 'redis');
  if (!existsSync(folder) && mayDownload) await unpack(folder).catch(() => undefined);
  const path = join(folder, 'usr/bin/redis-server');
  if (!existsSync(path)) return undefined;
  const libraryPath = [...new Set(globSync(`${folder}/**/*.so*`).map((library) => dirname(library)))].join(delimiter);
  return { path, libraryPath };
}

async function unpack(folder: string): Promise<void> {
  const draft = `${folder}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  try {
    await download(draft).catch(async () => {
      await run('apt-get', ['update']);
      await download(draft);
    });
    for (const file of readdirSync(draft)) await run('dpkg', ['-x', join(draft, file), join(draft, 'root')]);
    renameSync(join(draft, 'root'), folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

async function download(folder: string): Promise<void> {
  const { stdout } = await run('apt-cache', ['depends', '--important', 'redis-server', 'redis-tools']);
  const libraries = [...stdout.matchAll(/Depends: ((?:lib|lua)\S+)/g)].map(([, name]) => name ?? '');
  const names = new Set(['redis-server', 'redis-tools', ...libraries.filter((name) => name !== 'libc6')]);
  await run('apt-get', ['download', ...names], { cwd: folder });
}
