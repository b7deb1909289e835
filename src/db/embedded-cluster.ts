import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedPostgresError, giveTo, type Home } from './embedded-home.ts';
import { isAlive } from './file-lock.ts';

export interface Cluster {
  readonly pid: number;
  readonly port: number;
  readonly password: string;
}

const startTimeoutMs = 60_000;
const stopTimeoutMs = 15_000;
const startAttempts = 3;

const defaults: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  // No socket file: its path would be bound to 107 characters and to a folder that the account can write.
  unix_socket_directories: '',
  shared_buffers: '128MB',
  max_connections: '200',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

// Nothing of the server's own environment: PGDATA or LC_ALL in it would lead PostgreSQL astray.
const programEnv = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

export async function createCluster(home: Home): Promise<void> {
  if (existsSync(passwordFile(home)) && existsSync(join(home.clusterDir, 'PG_VERSION'))) return;
  // The password went away with the data folder, or the first start was cut short: what is left is of no use.
  const leftOver = readPostmaster(home);
  if (leftOver) await stopCluster(home, leftOver.pid);
  rmSync(home.clusterDir, { recursive: true, force: true });
  mkdirSync(home.clusterDir, { mode: 0o700 });
  giveTo(home.clusterDir, home.account);
  const password = randomBytes(18).toString('base64url');
  await runInitdb(home, password);
  writeFileSync(passwordFile(home), password, { mode: 0o600 });
}

async function runInitdb(home: Home, password: string): Promise<void> {
  const handover = `${home.clusterDir}.password`;
  rmSync(handover, { force: true });
  writeFileSync(handover, password, { mode: 0o600 });
  giveTo(handover, home.account);
  const { code, output } = await run(home, 'initdb', [
    `--pgdata=${home.clusterDir}`,
    `--pwfile=${handover}`,
    '--username=postgres',
    '--auth=scram-sha-256',
    // Without these the cluster takes its encoding from LANG, which is SQL_ASCII where there is none.
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    // pg_trgm asks the C library what a letter is: in its C locale Cyrillic has none, and no index serves it.
    '--lc-ctype=C.UTF-8',
  ]).finally(() => rmSync(handover, { force: true }));
  if (code === 0) return;
  rmSync(home.clusterDir, { recursive: true, force: true });
  throw new EmbeddedPostgresError(`initdb failed in ${home.clusterDir}: ${lastLine(output)}`);
}

export async function startCluster(home: Home, settings: Readonly<Record<string, string>>): Promise<Cluster> {
  const password = readFileSync(passwordFile(home), 'utf8');
  for (let attempt = 1; ; attempt++) {
    const pid = readPostmaster(home)?.pid ?? (await spawnPostgres(home, settings));
    const ready = await waitUntilReady(home, pid);
    if (ready) return { ...ready, password };
    // A port taken in between, or backends of a killed server that still leave.
    if (attempt === startAttempts) throw new EmbeddedPostgresError(startFailure(home));
    await sleep(attempt * 500);
  }
}

async function spawnPostgres(home: Home, settings: Readonly<Record<string, string>>): Promise<number> {
  // Here the file names no living server; PostgreSQL itself would trust a recycled process id.
  rmSync(postmasterFile(home), { force: true });
  const options = Object.entries({ ...defaults, port: String(await freePort()), ...settings });
  const logFd = openSync(logFile(home), 'w', 0o600);
  // Detached: Ctrl-C in a terminal must reach the server first, which then stops PostgreSQL in order.
  const child = spawn(
    join(home.programDir, 'bin', 'postgres'),
    ['-D', home.clusterDir, ...options.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    { ...home.account, cwd: home.clusterDir, env: programEnv, detached: true, stdio: ['ignore', logFd, logFd] },
  );
  closeSync(logFd);
  child.unref();
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new EmbeddedPostgresError('PostgreSQL cannot be started', error)));
    child.once('spawn', () => resolve(child.pid ?? 0));
  });
}

async function waitUntilReady(home: Home, pid: number): Promise<Omit<Cluster, 'password'> | undefined> {
  const deadline = Date.now() + startTimeoutMs;
  while (Date.now() < deadline && isAlive(pid)) {
    const postmaster = readPostmaster(home);
    if (postmaster?.isReady && postmaster.pid === pid) return postmaster;
    await sleep(10);
  }
  return undefined;
}

/** "Fast" shutdown: sessions are ended, committed work is on disk. */
export async function stopCluster(home: Home, pid: number): Promise<void> {
  signal(pid, 'SIGINT');
  const deadline = Date.now() + stopTimeoutMs;
  // The file goes last. An orphan may stay visible as a zombie for a second longer.
  while (isAlive(pid) && existsSync(postmasterFile(home))) {
    if (Date.now() > deadline) return signal(pid, 'SIGQUIT');
    await sleep(10);
  }
}

interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly isReady: boolean;
}

function readPostmaster(home: Home): Postmaster | undefined {
  const path = postmasterFile(home);
  if (!existsSync(path)) return undefined;
  const [pid, , , port, , , , status] = readFileSync(path, 'utf8').split('\n');
  if (!pid || !isPostgres(Number(pid), home.clusterDir)) return undefined;
  return { pid: Number(pid), port: Number(port), isReady: status?.trim() === 'ready' };
}

function isPostgres(pid: number, clusterDir: string): boolean {
  if (!isAlive(pid)) return false;
  try {
    // A recycled process id belongs to some other program.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(clusterDir);
  } catch {
    return process.platform !== 'linux';
  }
}

function run(home: Home, program: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(home.programDir, 'bin', program), args, { ...home.account, cwd: '/', env: programEnv });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone already.
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

function startFailure(home: Home): string {
  return `The embedded PostgreSQL in ${home.clusterDir} does not start: ${lastLine(readFileSync(logFile(home), 'utf8'))}`;
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1) ?? 'it said nothing';
}

function postmasterFile({ clusterDir }: Home): string {
  return join(clusterDir, 'postmaster.pid');
}

function passwordFile({ dataDir }: Home): string {
  return join(dataDir, 'postgres.password');
}

function logFile({ dataDir }: Home): string {
  return join(dataDir, 'postgres.log');
}
