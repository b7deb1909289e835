import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { figure, median, table } from './report.ts';
import { makeFolder } from '../test/support/folder.ts';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const root = fileURLToPath(new URL('..', import.meta.url));

/** From typing `npm start` on an existing data folder to the first GraphQL answer. */
const dataDir = await makeFolder('cdesk-chats-bench-');
const first = await firstAnswerMs();
const later: number[] = [];
for (let round = 0; round < ROUNDS; round++) later.push(await firstAnswerMs());
await rm(dataDir, { recursive: true, force: true });

table(
  ['start', 'first answer, ms'],
  [
    ['empty data folder', first.toFixed(0)],
    [`existing data folder, median of ${ROUNDS}`, median(later).toFixed(0)],
    ['fastest, slowest', `${Math.min(...later).toFixed(0)}, ${Math.max(...later).toFixed(0)}`],
  ],
);
figure('start.first_answer_ms', median(later));

async function firstAnswerMs(): Promise<number> {
  const port = await freePort();
  const begun = performance.now();
  const child = spawn('npm', ['start'], {
    cwd: root,
    env: { ...process.env, PORT: String(port), DATA_DIR: dataDir, LOG_LEVEL: 'warn' },
    stdio: 'ignore',
    detached: true,
  });
  try {
    await firstAnswer(port);
    return performance.now() - begun;
  } finally {
    if (child.pid) await endGroup(child.pid);
  }
}

/** npm, its shell and the server; npm itself ends before the server has. */
async function endGroup(id: number): Promise<void> {
  process.kill(-id, 'SIGTERM');
  while (isGroupAlive(id)) await pause(20);
}

function isGroupAlive(id: number): boolean {
  try {
    return process.kill(-id, 0);
  } catch {
    return false;
  }
}

/** Any GraphQL answer counts; without a token it is UNAUTHENTICATED. */
async function firstAnswer(port: number): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: '{ serverTime }' }),
      });
      const { errors } = (await answer.json()) as { errors?: { extensions?: { code?: string } }[] };
      if (errors?.[0]?.extensions?.code === 'UNAUTHENTICATED') return;
    } catch {
      await pause(10);
    }
  }
  throw new Error('the server did not answer within a minute');
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port was found');
  return address.port;
}
