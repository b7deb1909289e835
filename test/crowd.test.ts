import { afterAll, expect, it } from 'vitest';
import { subjectOf } from '../src/demo-data.ts';
import { loadEnv } from '../src/env.ts';
import { signIn } from '../src/sign-in.ts';
import { Crowd } from './support/crowd.ts';
import { createTestDatabase } from './support/database.ts';
import { batchOf, textMessage } from './support/payloads.ts';
import { sharedSettings, startServerProcess, type ServerProcess } from './support/process.ts';
import { openAcknowledged, type RawSocket } from './support/raw-socket.ts';
import { number1, postSigned } from './support/server.ts';

const SOCKETS = Number(process.env.CROWD_SOCKETS ?? 300);
const ADDED = 'subscription { messageAdded { cursor message { id preview sentAt direction kind } } }';
/** Half a megabyte for each event: what one who does not read is sent soon fills what the kernel takes. */
const FAT = `subscription { messageAdded { cursor ${Array.from({ length: 50 }, (_, n) => `f${n}: message { id sentAt }`).join(' ')} } }`;
const FAT_SUBSCRIPTIONS = 100;
const UNDISTURBED = 15;
/** V8's young generation grows once with any work; what a socket costs is seen on those after the first. */
const WARM = 100;
const GROWING = 60;

const stack = new AsyncDisposableStack();
afterAll(() => stack.disposeAsync());

it(
  `${SOCKETS} sockets on one process and one that never reads: it is closed, and the others notice nothing`,
  { timeout: 240_000 },
  async () => {
    const database = stack.use(await createTestDatabase());
    const server = stack.use(await startServerProcess({ DATABASE_URL: database.url, SLOW_CLIENT_SECONDS: '2' }));
    const env = loadEnv({ ...sharedSettings, DATA_DIR: '.cache' });
    const token = await signIn(env, { subject: subjectOf('boris'), login: 'boris' });
    const crowd = new Crowd(server.url, token);
    stack.defer(() => crowd.leave());
    await crowd.join(WARM, { query: ADDED });
    await crowd.subscribed(() => customerWrites(server));
    await deliver(server, crowd, async (events) => events < GROWING);
    const before = await gauge(server, 'process_resident_memory_bytes');
    await crowd.join(SOCKETS - WARM, { query: ADDED });
    await crowd.subscribed(() => customerWrites(server));
    const grown = (await gauge(server, 'process_resident_memory_bytes')) - before;
    const alone = await deliver(server, crowd, async (events) => events < UNDISTURBED);

    const sleeper = await openSleeper(server, token);
    await deliver(server, crowd, async (events) => events < 1);
    await sleeper.frame(({ id, type }) => type === 'next' && id === String(FAT_SUBSCRIPTIONS - 1));
    sleeper.socket.pause();
    const beside = await deliver(server, crowd, async () => (await gauge(server, 'cdesk_sockets')) > SOCKETS);
    sleeper.socket.resume();

    expect([1006, 1013]).toContain(await sleeper.closed);
    expect(sleeper.frames.filter(({ type }) => type === 'next').length).toBeLessThan(beside.length * FAT_SUBSCRIPTIONS);
    // Each of them had every event, or `deliver` would not have ended.
    expect(await gauge(server, 'cdesk_sockets')).toBe(SOCKETS);
    process.stdout.write(
      `${SOCKETS} sockets: ${(grown / 1024 / (SOCKETS - WARM)).toFixed(1)} kB each; an event reaches the last one in ${tell(alone)}; ` +
        `beside one that does not read, ${beside.length} events, in ${tell(beside)}\n`,
    );
    expect(median(beside)).toBeLessThan(2 * median(alone) + 50);
  },
);

/** One event after the other, each when everyone has the one before; the times in milliseconds. */
async function deliver(
  server: ServerProcess,
  crowd: Crowd,
  goesOn: (events: number) => Promise<boolean>,
): Promise<number[]> {
  const times: number[] = [];
  while (await goesOn(times.length)) {
    const begun = performance.now();
    await Promise.all([customerWrites(server), crowd.frames(crowd.size)]);
    times.push(performance.now() - begun);
  }
  return times;
}

async function customerWrites({ url }: ServerProcess): Promise<void> {
  const answer = await postSigned(url, JSON.stringify(batchOf(number1.phoneNumberId, [textMessage({ text: 'Ahoj' })])));
  expect(answer.status).toBe(200);
}

/** Subscribed many times over. */
async function openSleeper({ url }: ServerProcess, token: string): Promise<RawSocket> {
  const sleeper = await openAcknowledged(url, token);
  for (let id = 0; id < FAT_SUBSCRIPTIONS; id++)
    sleeper.send({ id: String(id), type: 'subscribe', payload: { query: FAT } });
  return sleeper;
}

async function gauge({ url }: ServerProcess, name: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function tell(times: number[]): string {
  return `${median(times).toFixed(0)} ms (${Math.min(...times).toFixed(0)}-${Math.max(...times).toFixed(0)})`;
}
