import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { APP_SECRET, unlimitedRates, VERIFY_TOKEN } from './server.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

/** Compiled code is kept: it is a third of a process's way to its first answer. */
const shell = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  NODE_COMPILE_CACHE: join(root, '.cache', 'compiled'),
};

/** What every process of one deployment shares in the tests. */
export const sharedSettings = {
  NODE_ENV: 'test',
  JWT_SECRET: 'a secret that only the tests know, 32+',
  ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  META_APP_SECRET: APP_SECRET,
  META_WEBHOOK_TOKEN: VERIFY_TOKEN,
  DATABASE_POOL_SIZE: '10',
  LOG_LEVEL: 'info',
  LOG_FORMAT: 'json',
  PORT: '0',
  SYNC_TEMPLATES_AT_START: 'false',
  UPKEEP_INTERVAL_MS: '500',
  ...unlimitedRates,
} as const;

export type ServerProcess = AsyncDisposable & {
  url: string;
  process: ChildProcess;
  /** Everything it wrote, for searching. */
  output(): string;
  /** Settles with the exit code once it has ended. */
  ended: Promise<number | null>;
};

/** `npm start` without npm: a process of its own, which can be killed. `flags` are Node's. */
export async function startServerProcess(
  settings: Record<string, string>,
  flags: readonly string[] = [],
): Promise<ServerProcess> {
  const dataDir = await mkdtemp(join(tmpdir(), 'cdesk-chats-test-'));
  const child = spawn(process.execPath, [...flags, main], {
    cwd: root,
    env: { ...shell, DATA_DIR: dataDir, ...sharedSettings, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return {
    url: await listeningUrl(() => output, ended),
    process: child,
    output: () => output,
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

const START_MS = 60_000;

async function listeningUrl(output: () => string, ended: Promise<unknown>): Promise<string> {
  const stop = AbortSignal.any([AbortSignal.timeout(START_MS), abortedBy(ended)]);
  while (!stop.aborted) {
    const url = /"url":"(http[^"]+)","msg":"listening"/.exec(output())?.[1];
    if (url) return url;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`the server did not start: ${output()}`);
}

function abortedBy(ended: Promise<unknown>): AbortSignal {
  const controller = new AbortController();
  void ended.then(() => controller.abort());
  return controller.signal;
}
