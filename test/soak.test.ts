import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { subjectOf } from '../src/demo-data.ts';
import { loadEnv } from '../src/env.ts';
import type { Sandbox } from '../src/sandbox/options.ts';
import { signIn } from '../src/sign-in.ts';
import { createTestDatabase, runSql } from './support/database.ts';
import { eventually } from './support/events.ts';
import { freePort } from './support/free-port.ts';
import { inspected, liveHeapMb } from './support/live-heap.ts';
import { settingsOf, startMeta } from './support/meta.ts';
import { sharedSettings, startServerProcess, type ServerProcess } from './support/process.ts';
import { startRedisServer } from './support/redis.ts';
import { streamPosition, Subscriber, workAsOperator, writeAsCustomers, type Soak } from './support/soak-clients.ts';

/** A minute in the suite, where other tests want their share of the machine; ten at full speed by `npm run test:soak`. */
const SECONDS = Number(process.env.SOAK_SECONDS ?? 60);
const PACE_MS = process.env.SOAK_SECONDS === undefined ? 20 : 0;
const SUBSCRIBERS = 6;
const FAULT_EVERY_MS = Math.max(2_000, (SECONDS * 1_000) / 20);
const CUT_EVERY_MS = 700;
/** How long a fault is felt: connections are made anew, a killed process starts again. */
const AFTERMATH_MS = 10_000;
/** No more than a small container has. */
const FLAGS = [...inspected, '--max-old-space-size=256'];
const WARM_UP_MS = Math.min(60_000, (SECONDS * 1_000) / 3);
/** What a warm process may still come to hold: the newest events, answers that are shared, compiled queries. */
const MAX_GROWTH_MB = 40;

it(
  'two processes bear mixed load and faults: nothing is lost, nothing grows',
  { timeout: SECONDS * 1_000 + 240_000 },
  async () => {
    await using undo = new AsyncDisposableStack();
    const deployment = await startDeployment(undo);
    const counts: Record<string, number> = {};
    const blamed: string[] = [];
    const stop = new AbortController();
    const soak: Soak = {
      url: () => deployment.urls[Math.floor(Math.random() * deployment.urls.length)] ?? '',
      token: deployment.token,
      stopped: stop.signal,
      paceMs: PACE_MS,
      count: (what) => (counts[what] = (counts[what] ?? 0) + 1),
      blame: (what) => blamed.push(what),
      isDisturbed: () => Date.now() < deployment.disturbedUntil,
    };
    // Nothing that is done to it may end it, and without it nothing would ever settle.
    const survival = deployment.survivor.ended.then((code) =>
      Promise.reject(new Error(`a process ended with ${code}: ${deployment.survivor.output().slice(-3_000)}`)),
    );
    survival.catch(() => stop.abort());
    // A subscription without a cursor begins when it is opened, which may be after the first message.
    const beginning = await streamPosition(soak);
    const subscribers = Array.from({ length: SUBSCRIBERS }, () => new Subscriber(soak, beginning));
    undo.defer(() => subscribers.forEach((subscriber) => subscriber.stop()));
    await eventually(async () => (counts['sockets opened'] ?? 0) >= SUBSCRIBERS);

    const writing = [writeAsCustomers(soak, 1), writeAsCustomers(soak, 2)];
    const replying = [workAsOperator(soak, 1), workAsOperator(soak, 2)];
    const disturbing = [injectFaults(deployment, soak), cutSockets(subscribers, soak)];
    const memory = watchMemory(deployment, soak);
    await pauseUntilStopped(SECONDS * 1_000, soak);
    stop.abort();
    await Promise.all(disturbing);
    const taken = (await Promise.all([...writing, ...replying])).flat();
    const messages = await Promise.race([settledMessages(deployment), survival]);
    await expect
      .poll(() => subscribers.map(({ heard }) => heard.size), { timeout: 60_000 })
      .toEqual(subscribers.map(() => messages.length));
    const heldMb = await memory;

    report({ ...counts, ...fatesOf(messages), ...heldMb });
    const previews = messages.map(({ preview }) => preview);
    expect(taken.filter((text) => !previews.includes(text))).toEqual([]);
    expect(previews.length).toBe(new Set(previews).size);
    expect(sentTwice(deployment.sandbox)).toEqual([]);
    expect(blamed).toEqual([]);
    expect(heldMb['live MB at the end'] - heldMb['live MB when warm']).toBeLessThan(MAX_GROWTH_MB);
  },
);

type Deployment = {
  databaseUrl: string;
  redis: Awaited<ReturnType<typeof startRedisServer>>;
  sandbox: Sandbox;
  urls: string[];
  token: string;
  /** Lives through everything, so that its memory tells. */
  survivor: ServerProcess;
  victim: ServerProcess;
  startVictim(): Promise<ServerProcess>;
  disturbedUntil: number;
};

async function startDeployment(undo: AsyncDisposableStack): Promise<Deployment> {
  const databaseUrl = undo.use(await createTestDatabase()).url;
  const redis = undo.use(await startRedisServer());
  const ports = [await freePort(), await freePort()];
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  // Meta goes to the one that lives.
  const sandbox = undo.use(await startMeta(() => `${urls[0]}/webhooks/whatsapp`));
  const settings = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redis.url,
    ...settingsOf(sandbox),
    SHUTDOWN_GRACE_MS: '500',
    LOG_LEVEL: 'info',
  };
  const start = async (port: number | undefined) =>
    undo.use(await startServerProcess({ ...settings, PORT: String(port) }, FLAGS));
  const survivor = await start(ports[0]);
  const victim = await start(ports[1]);
  const env = loadEnv({ ...sharedSettings, DATA_DIR: '.cache' });
  const token = await signIn(env, { subject: subjectOf('alena'), login: 'alena' });
  const startVictim = () => start(ports[1]);
  return { databaseUrl, redis, sandbox, urls, token, survivor, victim, startVictim, disturbedUntil: 0 };
}

const faults = {
  async 'kill a process'(deployment: Deployment) {
    deployment.victim.process.kill('SIGKILL');
    await deployment.victim.ended;
    deployment.victim = await deployment.startVictim();
  },
  async 'kill Redis'({ redis }: Deployment) {
    await redis.kill();
    await pause(500);
    await redis.start();
  },
  async 'cut PostgreSQL'({ databaseUrl }: Deployment) {
    await runSql(
      databaseUrl,
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
  },
  async 'stop a process'(deployment: Deployment) {
    deployment.victim.process.kill('SIGTERM');
    await deployment.victim.ended;
    deployment.victim = await deployment.startVictim();
  },
};

async function injectFaults(deployment: Deployment, soak: Soak): Promise<void> {
  for (let n = 0; !soak.stopped.aborted; n++) {
    await pauseUntilStopped(FAULT_EVERY_MS, soak);
    const fault = Object.entries(faults)[n % Object.keys(faults).length];
    if (!fault || soak.stopped.aborted) return;
    const [name, inject] = fault;
    soak.count(`faults: ${name}`);
    deployment.disturbedUntil = Number.POSITIVE_INFINITY;
    await inject(deployment);
    deployment.disturbedUntil = Date.now() + AFTERMATH_MS;
  }
}

async function cutSockets(subscribers: Subscriber[], soak: Soak): Promise<void> {
  for (let n = 0; !soak.stopped.aborted; n++) {
    await pauseUntilStopped(CUT_EVERY_MS, soak);
    subscribers[n % subscribers.length]?.cut();
  }
}

/** Without garbage, once it is warm and when all is over. */
async function watchMemory({ survivor }: Deployment, soak: Soak) {
  await pauseUntilStopped(WARM_UP_MS, soak);
  const warm = await liveHeapMb(survivor);
  while (!soak.stopped.aborted) await pauseUntilStopped(SECONDS * 1_000, soak);
  return { 'live MB when warm': Math.round(warm), 'live MB at the end': Math.round(await liveHeapMb(survivor)) };
}

async function pauseUntilStopped(ms: number, { stopped }: Soak): Promise<void> {
  await pause(ms, undefined, { signal: stopped }).catch(() => {});
}

type Stored = { preview: string; status: string | null; state: string | null };

/** Once nothing waits to be sent any more. */
async function settledMessages({ databaseUrl, sandbox }: Deployment): Promise<Stored[]> {
  const stored = () =>
    runSql<Stored>(databaseUrl, 'SELECT preview, status, send_state AS state FROM message ORDER BY preview');
  await eventually(
    async () => (await stored()).every(({ state }) => state !== 'QUEUED' && state !== 'SENDING'),
    120_000,
  );
  await sandbox.settled();
  return stored();
}

function fatesOf(messages: Stored[]): Record<string, number> {
  const replies = messages.filter(({ state }) => state !== null);
  const fates = Map.groupBy(replies, ({ status, state }) => (state === 'UNKNOWN' ? 'fate unknown' : `${status}`));
  const rows = [...fates].map(([fate, some]) => [`replies: ${fate}`, some.length] as const);
  return { 'messages stored': messages.length, ...Object.fromEntries(rows) };
}

function sentTwice(sandbox: Sandbox): unknown[] {
  const sent = Map.groupBy(sandbox.ledger({ kind: 'message' }), ({ opaqueData }) => opaqueData);
  return [...sent].filter(([, entries]) => entries.length > 1).map(([opaqueData]) => opaqueData);
}

function report(rows: Record<string, number>): void {
  const width = Math.max(...Object.keys(rows).map(({ length }) => length));
  const lines = Object.entries(rows).map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  process.stdout.write(`\n${SECONDS} seconds\n${lines.join('\n')}\n`);
}
