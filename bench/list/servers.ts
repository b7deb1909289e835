import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Pool } from 'undici';
import type { Env } from '../../src/env.ts';
import { signIn } from '../../src/sign-in.ts';
import { subjectOf } from '../../src/demo-data.ts';
import { connect, post } from './load.ts';
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
  const pool = connect(server.url, 1);
  const deadline = performance.now() + 60_000;
  while (!(await isAnswering(pool, server))) {
    if (performance.now() > deadline) throw new Error(`${server.name} does not answer`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await pool.close();
}

/** An answer that is wrong is no reason to wait. */
async function isAnswering(pool: Pool, server: Running): Promise<boolean> {
  try {
    await post(pool, server);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}
