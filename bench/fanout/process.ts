import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const TICKS_PER_SECOND = 100;

export type Measured = AsyncDisposable & { url: string; child: ChildProcess; cpuMs(): number; rssKb(): number };

/** Starts a server of its own process, whose processor time and memory the kernel tells. */
export async function startMeasured(
  script: string,
  args: string[],
  env: Record<string, string>,
  flags: string[] = [],
): Promise<Measured> {
  const child = fork(script, args, {
    cwd: root,
    env: { ...process.env, ...env },
    execArgv: flags,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const url = await new Promise<string>((resolve, reject) => {
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const found = /"url":"(http[^"]+)","msg":"listening"/.exec(output)?.[1];
      if (found) resolve(found);
    });
    child.once('exit', () => reject(new Error(`${script} did not start: ${output}`)));
  });
  const read = (name: string) => readFileSync(`/proc/${child.pid}/${name}`, 'utf8');
  return {
    url,
    child,
    cpuMs() {
      const fields = read('stat').split(') ')[1]?.split(' ') ?? [];
      return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
    },
    rssKb: () => Number(/VmRSS:\s+(\d+)/.exec(read('status'))?.[1]),
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}
