import { readFileSync } from 'node:fs';
import { Pool } from 'undici';
import type { Program } from '../../test/support/debian-program.ts';
import { flood } from '../wrk.ts';

/** `cpuMs`: time of the server's own process for each request; NaN where the system does not tell. */
export type Measured = { perSecond: number; p99Ms: number; cpuMs: number };

type Target = { url: string; body: string; headers: Record<string, string> };

/** Closed loop: each connection asks again as soon as it was answered. */
export async function load(
  wrk: Program,
  target: Target & { pid: number },
  { connections, seconds }: { connections: number; seconds: number },
): Promise<Measured> {
  await checkAnswer(target);
  const cpuBefore = cpuMsOf(target.pid);
  const flooded = await flood(wrk, target.url, [target], { seconds, concurrent: connections });
  const cpuMs = (cpuMsOf(target.pid) - cpuBefore) / flooded.answered;
  await checkAnswer(target);
  return { ...flooded, cpuMs };
}

/** The load generator looks at the status alone. */
async function checkAnswer(target: Target): Promise<void> {
  const pool = connect(target.url, 1);
  try {
    await post(pool, target);
  } finally {
    await pool.close();
  }
}

/** Linux counts in hundredths of a second. */
function cpuMsOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ');
    return (Number(fields[13]) + Number(fields[14])) * 10;
  } catch {
    return Number.NaN;
  }
}

/** The answer's bytes; anything but 200 and data is an error. */
export async function post(pool: Pool, { url, body, headers }: Target): Promise<Buffer> {
  const answer = await pool.request({
    path: new URL(url).pathname,
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body,
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  if (answer.statusCode === 200 && !bytes.includes('"errors":')) return bytes;
  throw new Error(`${url} answered ${answer.statusCode}: ${bytes.toString('utf8', 0, 500)}`);
}

export function connect(url: string, connections: number): Pool {
  return new Pool(new URL(url).origin, { connections, pipelining: 1 });
}
