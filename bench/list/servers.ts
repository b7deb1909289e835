import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Agent } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Env } from '../../src/env.ts';
import { signIn } from '../../src/sign-in.ts';
import { subjectOf } from '../../src/demo-data.ts';
import { post } from './load.ts';
import type { Variant } from './variants.ts';

export type Running = Variant & { url: string; headers: Record<string, string>; pid: number };

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Below the ports that clients are given: those collided. */
const FIRST_PORT = 21_700;

/** Each in a process of its own, as in production. */
export async function startAll(
  variants: readonly Variant[],
  settings: Record<string, string>,
  env: Env,
): Promise<AsyncDisposable & { running: Running[] }> {
  installPostgraphile();
  const token = await signIn(env, { subject: subjectOf('alena'), login: 'alena' });
  const children: ChildProcess[] = [];
  const stop = async () => {
    await Promise.all(
      children.map((child) => {
        const closed = new Promise((resolve) => child.once('close', resolve));
        child.kill('SIGTERM');
        return closed;
      }),
    );
  };
  try {
    const running: Running[] = [];
    for (const [index, variant] of variants.entries()) {
      const port = FIRST_PORT + index;
      const child = spawn(process.execPath, [variant.program], {
        cwd: root,
        env: { ...process.env, ...settings, PORT: String(port) },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      children.push(child);
      const server = {
        ...variant,
        url: `http://127.0.0.1:${port}/graphql`,
        headers: { authorization: `Bearer ${token}` },
        pid: child.pid ?? 0,
      };
      await firstAnswer(server);
      running.push(server);
    }
    return { running, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** It has a folder of its own, so that an install of the project stays small. */
function installPostgraphile(): void {
  const folder = `${root}bench/postgraphile`;
  if (existsSync(`${folder}/node_modules`)) return;
  console.log('installing PostGraphile for the comparison');
  execFileSync('npm', ['ci', '--ignore-scripts'], { cwd: folder, stdio: 'inherit' });
}

async function firstAnswer(server: Running): Promise<void> {
  const agent = new Agent();
  const deadline = performance.now() + 60_000;
  for (;;) {
    try {
      await post(agent, server);
      return;
    } catch (error) {
      if (performance.now() > deadline || !(error instanceof Error && 'code' in error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
