import { readFileSync } from 'node:fs';
import { Pool } from 'undici';

/** `cpuMs`: time of the server's own process for each request; NaN where the system does not tell. */
export type Measured = { perSecond: number; latenciesMs: number[]; cpuMs: number };

/** Closed loop: each connection asks again as soon as it was answered. Anything but 200 and data ends the run. */
export async function load(
  target: { url: string; body: string; headers: Record<string, string>; pid: number },
  options: { connections: number; forMs: number },
): Promise<Measured> {
  const pool = connect(target.url, options.connections);
  const latenciesMs: number[] = [];
  const cpuBefore = cpuMsOf(target.pid);
  const begun = performance.now();
  const until = begun + options.forMs;
  async function ask(): Promise<void> {
    while (performance.now() < until) {
      const asked = performance.now();
      await post(pool, target);
      latenciesMs.push(performance.now() - asked);
    }
  }
  await Promise.all(Array.from({ length: options.connections }, ask));
  const seconds = (performance.now() - begun) / 1_000;
  await pool.close();
  const cpuMs = (cpuMsOf(target.pid) - cpuBefore) / latenciesMs.length;
  return { perSecond: latenciesMs.length / seconds, latenciesMs, cpuMs };
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
export async function post(
  pool: Pool,
  { url, body, headers }: Omit<Parameters<typeof load>[0], 'pid'>,
): Promise<Buffer> {
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

/** undici's takes half the time of node:http's client, which runs on the same machine as what it measures. */
export function connect(url: string, connections: number): Pool {
  return new Pool(new URL(url).origin, { connections, pipelining: 1 });
}
