import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from './free-port.ts';
import type { RedisProgram } from './redis-program.ts';

export interface RedisServer extends AsyncDisposable {
  readonly url: string;
  /** Orderly; nothing is kept. */
  stop(): Promise<void>;
  /** As a crash does it. */
  kill(): Promise<void>;
  /** Empty, on the same port. */
  start(): Promise<void>;
}

const startTimeoutMs = 10_000;
const children = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

export async function startRedis(program: RedisProgram): Promise<RedisServer> {
  const port = await freePort();
  let child = await spawnRedis(program, port);
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: () => end(child, 'SIGTERM'),
    kill: () => end(child, 'SIGKILL'),
    async start() {
      child = await spawnRedis(program, port);
    },
    [Symbol.asyncDispose]: () => end(child, 'SIGKILL'),
  };
}

async function spawnRedis(program: RedisProgram, port: number): Promise<ChildProcess> {
  const options = { port, bind: '127.0.0.1', databases: 256, save: '', appendonly: 'no', loglevel: 'warning' };
  const child = spawn(
    program.path,
    Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
    { cwd: '/', env: { ...process.env, LD_LIBRARY_PATH: program.libraryPath }, stdio: 'ignore' },
  );
  children.add(child);
  child.once('exit', () => children.delete(child));
  await untilReady(child, port);
  return child;
}

async function untilReady(child: ChildProcess, port: number): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  while (child.exitCode === null && Date.now() < deadline) {
    if (await answers(port)) return;
    await sleep(10);
  }
  throw new Error(`redis-server does not start on port ${port}`);
}

async function answers(port: number): Promise<boolean> {
  const client = new Redis({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: null });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}
