import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findProgram, type Program } from '../test/support/debian-program.ts';

const run = promisify(execFile);
const script = fileURLToPath(new URL('wrk.lua', import.meta.url));
const folder = fileURLToPath(new URL('../.cache/wrk', import.meta.url));

export type Flood = { perSecond: number; answered: number; p99Ms: number };

type Post = { headers: Record<string, string>; body: string };

/**
 * A load generator that hardly costs CPU and has no garbage collection, so that what is compared, and what is measured as
 * latency, is the servers.
 */
export async function findWrk(): Promise<Program> {
  const wrk = await findProgram({ path: 'usr/bin/wrk', packages: ['wrk'], folder, mayDownload: true });
  if (!wrk) throw new Error('The benchmark needs wrk, which is neither on the PATH nor to be had from Debian.');
  return wrk;
}

/** Posts these one after the other and again, as fast as it goes, so many at once; anything but 200 fails. */
export async function flood(
  wrk: Program,
  url: string,
  posts: readonly Post[],
  { seconds, concurrent }: { seconds: number; concurrent: number },
): Promise<Flood> {
  const draft = await mkdtemp(join(tmpdir(), 'cdesk-requests-'));
  try {
    const file = join(draft, 'requests');
    await writeFile(file, posts.map((post) => requestOf(url, post)).join(''));
    const options = Object.entries({ threads: 1, connections: concurrent, duration: `${seconds}s`, timeout: '20s' });
    const args = options.flatMap(([name, value]) => [`--${name}`, String(value)]);
    const { stdout } = await run(wrk.path, [...args, '--script', script, url, '--', file], {
      env: { ...process.env, LD_LIBRARY_PATH: wrk.libraryPath },
    });
    const { answered, failed, microseconds, p99 } = readSummary(stdout);
    if (failed > 0) throw new Error(`${failed} requests were not answered with 200:\n${stdout}`);
    return { perSecond: (answered * 1_000_000) / microseconds, answered, p99Ms: p99 / 1_000 };
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** As wrk.lua expects it. */
function requestOf(url: string, { headers, body }: Post): string {
  const { host, pathname } = new URL(url);
  const fields = Object.entries({
    ...headers,
    host,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  const head = [`POST ${pathname} HTTP/1.1`, ...fields.map(([name, value]) => `${name}: ${value}`)];
  const text = `${head.join('\r\n')}\r\n\r\n${body}`;
  return String(Buffer.byteLength(text)).padStart(8, '0') + text;
}

/** Times in microseconds. */
type Summary = { answered: number; failed: number; microseconds: number; p99: number };

function readSummary(output: string): Summary {
  // The last line is what wrk.lua prints.
  return JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as Summary;
}
