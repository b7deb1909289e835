import { createClient, type Client } from 'graphql-ws';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { subjectOf } from '../src/demo-data.ts';
import { loadEnv } from '../src/env.ts';
import { signIn } from '../src/sign-in.ts';
import { runSql } from './support/database.ts';
import { startOwnPostgres, type OwnPostgres } from './support/own-postgres.ts';
import { batchOf, textMessage } from './support/payloads.ts';
import { sharedSettings, startServerProcess, type ServerProcess } from './support/process.ts';
import { startRedisServer } from './support/redis.ts';
import type { RedisServer } from './support/redis-server.ts';
import { number1, postSigned } from './support/server.ts';

const SECONDS = Number(process.env.CHAOS_SECONDS ?? 8);
const SUBSCRIBERS = Number(process.env.CHAOS_SUBSCRIBERS ?? 12);
const PER_SECOND = Number(process.env.CHAOS_PER_SECOND ?? 40);
const EVENTS = 'subscription Events($after: EventCursor) { events(after: $after) { __typename eventId cursor } }';

const stack = new AsyncDisposableStack();
let postgres: OwnPostgres;
let redis: RedisServer;
let token: string;
let processes: ServerProcess[];

beforeAll(async () => {
  postgres = stack.use(await startOwnPostgres());
  redis = stack.use(await startRedisServer());
  token = await signIn(loadEnv({ ...sharedSettings, DATA_DIR: '.cache' }), {
    subject: subjectOf('boris'),
    login: 'boris',
  });
  processes = [await startProcess(), await startProcess()];
});

afterAll(async () => {
  await Promise.all(processes.map((each) => each[Symbol.asyncDispose]()));
  await stack.disposeAsync();
});

it(
  'shows every event to every subscriber, in order, while everything breaks around them',
  { timeout: 240_000 },
  async () => {
    const subscribers = Array.from({ length: SUBSCRIBERS }, createSubscriber);
    const begun = Date.now();
    const trouble = breakThings();
    const deliveries: Promise<void>[] = [];
    while (Date.now() < begun + SECONDS * 1000) {
      deliveries.push(deliver(deliveries.length));
      if (deliveries.length % 5 === 0) subscribers[Math.floor(Math.random() * SUBSCRIBERS)]?.cut();
      await pause(begun + (deliveries.length * 1000) / PER_SECOND - Date.now());
    }
    await Promise.all(deliveries);
    await trouble;
    const logged = (
      await runSql<{ id: string }>(
        postgres.url,
        "SELECT epoch || '-' || seq AS id FROM event WHERE type <> 'ACCESS_CHANGED' ORDER BY seq",
      )
    ).map(({ id }) => id);
    const last = logged.at(-1) ?? '';

    await Promise.all(subscribers.map((each) => each.until(last)));

    for (const subscriber of subscribers) {
      const first = logged.indexOf(subscriber.seen[0] ?? '');
      expect(first).toBeGreaterThanOrEqual(0);
      expect(subscriber.seen).toEqual(logged.slice(first));
      expect(subscriber.expired).toEqual([]);
      subscriber.stop();
    }
    // A message and an unread counter each.
    expect(logged.length).toBeGreaterThanOrEqual(2 * deliveries.length);
    process.stdout.write(
      `${deliveries.length} webhooks in ${SECONDS} s, ${logged.length} events, ${SUBSCRIBERS} subscribers ` +
        `over ${sum(subscribers.map(({ connections }) => connections()))} connections; nothing was missed\n`,
    );
  },
);

/** As Meta does: again, elsewhere, until it is taken. */
async function deliver(number: number): Promise<void> {
  const body = JSON.stringify(
    batchOf(number1.phoneNumberId, [textMessage({ from: `4206020000${(number % 90) + 10}` })]),
  );
  for (let attempt = number; ; attempt++) {
    const url = processes[attempt % processes.length]?.url ?? '';
    if ((await postSigned(url, body).catch(() => null))?.status === 200) return;
    await pause(20);
  }
}

function startProcess(): Promise<ServerProcess> {
  return startServerProcess({
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    SHUTDOWN_GRACE_MS: '500',
    RATE_LIMIT_PER_MINUTE: '0',
    ADDRESS_RATE_LIMIT_PER_MINUTE: '0',
    WEBHOOK_RATE_LIMIT_PER_SECOND: '0',
  });
}

/** Redis is killed, comes back empty and is flushed; PostgreSQL is restarted; one process is killed, the other stopped. */
async function breakThings(): Promise<void> {
  const step = (SECONDS * 1000) / 7;
  await pause(step);
  await redis.kill();
  await pause(step);
  await redis.start();
  await pause(step / 2);
  await flush(redis.url);
  await pause(step / 2);
  await postgres.restart();
  await pause(step);
  processes[0]?.process.kill('SIGKILL');
  processes[0] = await startProcess();
  await pause(step);
  processes[1]?.process.kill('SIGTERM');
  processes[1] = await startProcess();
}

async function flush(url: string): Promise<void> {
  const client = new Redis(url);
  await client.flushall();
  client.disconnect();
}

/** Resumes by cursor wherever a process takes it, and drops what it has seen. */
function createSubscriber() {
  const seen: string[] = [];
  const known = new Set<string>();
  const expired: unknown[] = [];
  let cursor: string | null = null;
  let client: Client | null = null;
  let isStopped = false;
  let connections = 0;

  function follow(): void {
    if (isStopped) return;
    connections += 1;
    const { url } = processes[Math.floor(Math.random() * processes.length)] ?? { url: '' };
    const mine = createClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      connectionParams: { authorization: `Bearer ${token}` },
      retryAttempts: 0,
    });
    client = mine;
    const again = (error?: unknown) => {
      if (JSON.stringify(error ?? null).includes('CURSOR_EXPIRED')) expired.push(error);
      if (client === mine) setTimeout(follow, 50);
    };
    mine.subscribe<{ events: { __typename: string; eventId: string; cursor: string } }>(
      { query: EVENTS, variables: { after: cursor } },
      {
        next({ data, errors }) {
          if (!data || errors || client !== mine) return;
          ({ cursor } = data.events);
          if (data.events.__typename === 'StreamProgress' || known.has(data.events.eventId)) return;
          known.add(data.events.eventId);
          seen.push(data.events.eventId);
        },
        error: again,
        complete: again,
      },
    );
  }
  follow();
  return {
    seen,
    expired,
    connections: () => connections,
    cut: () => client?.terminate(),
    stop() {
      isStopped = true;
      client?.terminate();
    },
    async until(last: string) {
      const giveUpAt = Date.now() + 60_000;
      while (!known.has(last) && Date.now() < giveUpAt) await pause(50);
    },
  };
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
