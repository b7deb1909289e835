import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findProgram, type Program } from '../../test/support/debian-program.ts';
import { makeWebhooks, type Signed } from './traffic.ts';

const run = promisify(execFile);
const script = fileURLToPath(new URL('post.lua', import.meta.url));
const folder = fileURLToPath(new URL('../../.cache/wrk', import.meta.url));

export type Flood = { perSecond: number; answered: number };

/** A load generator that hardly costs CPU, so that what is compared is the servers. */
export async function findWrk(): Promise<Program> {
  const wrk = await findProgram({ path: 'usr/bin/wrk', packages: ['wrk'], folder, mayDownload: true });
  if (!wrk) throw new Error('The benchmark needs wrk, which is neither on the PATH nor to be had from Debian.');
  return wrk;
}

/** As fast as it goes, so many at once; anything but 200 fails. */
export async function flood(
  wrk: Program,
  url: string,
  { seconds, concurrent, most }: { seconds: number; concurrent: number; most: number },
): Promise<Flood> {
  const webhooks = makeWebhooks(most * seconds);
  const draft = await mkdtemp(join(tmpdir(), 'cdesk-webhooks-'));
  try {
    const file = join(draft, 'webhooks');
    await writeFile(file, webhooks.map((webhook) => requestOf(url, webhook)).join(''));
    const options = [
      '--threads',
      '1',
      '--connections',
      String(concurrent),
      '--duration',
      `${seconds}s`,
      '--timeout',
      '20s',
    ];
    const { stdout } = await run(wrk.path, [...options, '--script', script, url, '--', file], {
      env: { ...process.env, LD_LIBRARY_PATH: wrk.libraryPath },
    });
    const { answered, failed, microseconds } = readSummary(stdout);
    if (failed > 0) throw new Error(`${failed} webhooks were not answered with 200:\n${stdout}`);
    if (answered + concurrent >= webhooks.length) throw new Error(`${webhooks.length} webhooks are too few`);
    return { perSecond: (answered * 1_000_000) / microseconds, answered };
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** As post.lua expects it. */
function requestOf(url: string, { signature, body }: Signed): string {
  const head = [
    'POST /webhooks/whatsapp HTTP/1.1',
    `Host: ${new URL(url).host}`,
    'Content-Type: application/json',
    `X-Hub-Signature-256: ${signature}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  const text = `${head.join('\r\n')}\r\n\r\n${body}`;
  return String(Buffer.byteLength(text)).padStart(8, '0') + text;
}

type Summary = { answered: number; failed: number; microseconds: number };

function readSummary(output: string): Summary {
  // The last line is what post.lua prints.
  return JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as Summary;
}
