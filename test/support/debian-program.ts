import { execFile } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

export interface Program {
  readonly path: string;
  readonly libraryPath?: string;
}

export type Wanted = {
  /** Path below the root of the packages, e.g. usr/bin/redis-server. */
  path: string;
  packages: readonly string[];
  /** Of the unpacked packages. */
  folder: string;
  mayDownload: boolean;
};

const run = promisify(execFile);

/** A program of this machine, or Debian's packages unpacked into a folder: no root, nothing installed. */
export async function findProgram(wanted: Wanted): Promise<Program | undefined> {
  const name = wanted.path.split('/').at(-1) ?? '';
  const installed = process.env.PATH?.split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
  if (installed) return { path: installed };
  const { folder } = wanted;
  if (!existsSync(folder) && wanted.mayDownload) await unpack(wanted).catch(() => undefined);
  const path = join(folder, wanted.path);
  if (!existsSync(path)) return undefined;
  const libraryPath = [...new Set(globSync(`${folder}/**/*.so*`).map((library) => dirname(library)))].join(delimiter);
  return { path, libraryPath };
}

async function unpack({ folder, packages }: Wanted): Promise<void> {
  const draft = `${folder}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  try {
    await download(draft, packages).catch(async () => {
      await run('apt-get', ['update']);
      await download(draft, packages);
    });
    for (const file of readdirSync(draft)) await run('dpkg', ['-x', join(draft, file), join(draft, 'root')]);
    renameSync(join(draft, 'root'), folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

async function download(folder: string, packages: readonly string[]): Promise<void> {
  const { stdout } = await run('apt-cache', ['depends', '--important', ...packages]);
  const libraries = [...stdout.matchAll(/Depends: ((?:lib|lua)\S+)/g)].map(([, name]) => name ?? '');
  const names = new Set([...packages, ...libraries.filter((name) => name !== 'libc6')]);
  await run('apt-get', ['download', ...names], { cwd: folder });
}
