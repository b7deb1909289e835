import { createClient, type Client } from 'graphql-ws';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { subjectOf } from '../src/demo-data.ts';
import { loadEnv } from '../src/env.ts';
import { signIn } from '../src/sign-in.ts';
import { createTestDatabase, runSql } from './support/database.ts';
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
let databaseUrl: string;
let redis: RedisServer;
let token: string;
let processes: ServerProcess[];

beforeAll(async () => {
  databaseUrl = stack.use(await createTestDatabase()).url;
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
    const deadline = Date.now() + SECONDS * 1000;
    const trouble = breakThings();
    let accepted = 0;
    for (let sent = 0; Date.now() < deadline; sent++) {
      const body = JSON.stringify(
        batchOf(number1.phoneNumberId, [textMessage({ from: `4206020000${(sent % 90) + 10}` })]),
      );
      // As Meta does: again, elsewhere, until it is taken.
      for (;;) {
        const url = processes[accepted++ % processes.length]?.url ?? '';
        if ((await postSigned(url, body).catch(() => null))?.status === 200) break;
        await pause(20);
      }
      if (sent % 5 === 0) subscribers[Math.floor(Math.random() * SUBSCRIBERS)]?.cut();
      await pause(1000 / PER_SECOND);
    }
    await trouble;
    const logged = (
      await runSql<{ id: string }>(
        databaseUrl,
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
    expect(logged.length).toBeGreaterThan(SECONDS * 5);
  },
);

function startProcess(): Promise<ServerProcess> {
  return startServerProcess({
    DATABASE_URL: databaseUrl,
    REDIS_URL: redis.url,
    SHUTDOWN_GRACE_MS: '500',
    RATE_LIMIT_PER_MINUTE: '0',
    ADDRESS_RATE_LIMIT_PER_MINUTE: '0',
    WEBHOOK_RATE_LIMIT_PER_SECOND: '0',
  });
}

/** Redis is killed and comes back empty; PostgreSQL cuts everyone off; one process is killed, the other stopped. */
async function breakThings(): Promise<void> {
  const step = (SECONDS * 1000) / 6;
  await pause(step);
  await redis.kill();
  await pause(step);
  await redis.start();
  await runSql(
    databaseUrl,
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  );
  await pause(step);
  processes[0]?.process.kill('SIGKILL');
  processes[0] = await startProcess();
  await pause(step);
  processes[1]?.process.kill('SIGTERM');
  processes[1] = await startProcess();
}

/** Resumes by cursor wherever a process takes it, and drops what it has seen. */
function createSubscriber() {
  const seen: string[] = [];
  const known = new Set<string>();
  const expired: unknown[] = [];
  let cursor: string | null = null;
  let client: Client | null = null;
  let isStopped = false;

  function follow(): void {
    if (isStopped) return;
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

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
