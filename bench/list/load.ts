import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';

/** `cpuMs`: time of the server's own process for each request; NaN where the system does not tell. */
export type Measured = { perSecond: number; latenciesMs: number[]; cpuMs: number };

/** Closed loop: each connection asks again as soon as it was answered. Anything but 200 and data ends the run. */
export async function load(
  target: { url: string; body: string; headers: Record<string, string>; pid: number },
  options: { connections: number; forMs: number },
): Promise<Measured> {
  const agent = new Agent({ keepAlive: true, maxSockets: options.connections });
  const latenciesMs: number[] = [];
  const cpuBefore = cpuMsOf(target.pid);
  const begun = performance.now();
  const until = begun + options.forMs;
  async function ask(): Promise<void> {
    while (performance.now() < until) {
      const asked = performance.now();
      await post(agent, target);
      latenciesMs.push(performance.now() - asked);
    }
  }
  await Promise.all(Array.from({ length: options.connections }, ask));
  const seconds = (performance.now() - begun) / 1_000;
  agent.destroy();
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

export function post(agent: Agent, { url, body, headers }: Omit<Parameters<typeof load>[0], 'pid'>): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: 'POST', agent, headers: { ...headers, 'content-type': 'application/json' } });
    asked.on('error', reject);
    asked.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode === 200 && !text.includes('"errors":')) resolve(text);
        else reject(new Error(`${url} answered ${response.statusCode}: ${text.slice(0, 500)}`));
      });
    });
    asked.end(body);
  });
}
