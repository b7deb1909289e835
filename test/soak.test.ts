import { readFileSync } from 'node:fs';
import { createClient } from 'graphql-ws';
import { afterEach, expect, it } from 'vitest';
import { subjectOf } from '../src/demo-data.ts';
import { loadEnv } from '../src/env.ts';
import { signIn } from '../src/sign-in.ts';
import { createTestDatabase, runSql } from './support/database.ts';
import { eventually } from './support/events.ts';
import { freePort } from './support/free-port.ts';
import { batchOf, textMessage } from './support/payloads.ts';
import { sharedSettings, startServerProcess, type ServerProcess } from './support/process.ts';
import { startRedisServer } from './support/redis.ts';
import { number1, postSigned } from './support/server.ts';

/** Short in the suite; `npm run test:soak` takes ten minutes. */
const SECONDS = Number(process.env.SOAK_SECONDS ?? 12);
const FAULT_EVERY_MS = Math.max(3_000, (SECONDS * 1_000) / 20);
const PEOPLE = 40;
const SUBSCRIBERS = 6;
/** What a process may grow by once it is warm. */
const MAX_GROWTH_MB = 150;

const undo: AsyncDisposable[] = [];

afterEach(async () => {
  for (const part of undo.splice(0).toReversed()) await part[Symbol.asyncDispose]();
});

function keep<T extends AsyncDisposable>(part: T): T {
  undo.push(part);
  return part;
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

it(
  'two processes bear mixed load and faults: nothing is lost, nothing grows',
  { timeout: SECONDS * 1_000 + 240_000 },
  async () => {
    const database = keep(await createTestDatabase());
    const redis = keep(await startRedisServer());
    const settings = { DATABASE_URL: database.url, REDIS_URL: redis.url, SHUTDOWN_GRACE_MS: '500', LOG_LEVEL: 'error' };
    const ports = [await freePort(), await freePort()];
    const urls = ports.map((port) => `http://127.0.0.1:${port}`);
    const start = (index: number) => startServerProcess({ ...settings, LOG_LEVEL: 'info', PORT: String(ports[index]) });
    const running: ServerProcess[] = [keep(await start(0)), keep(await start(1))];
    const env = loadEnv({ ...sharedSettings, DATA_DIR: '.cache' });
    const token = await signIn(env, { subject: subjectOf('alena'), login: 'alena' });
    const url = () => urls[Math.floor(Math.random() * urls.length)] ?? '';

    const counts: Record<string, number> = {};
    const count = (what: string) => (counts[what] = (counts[what] ?? 0) + 1);
    const unexpected: string[] = [];
    const stop = new AbortController();

    const accepted = new Set<string>();
    const webhooks = async (sender: number) => {
      for (let n = 0; !stop.signal.aborted; n++) {
        const text = `${sender}-${n}`;
        const from = `4206${String(10_000_000 + ((sender * 7 + n) % PEOPLE))}`;
        const body = JSON.stringify(batchOf(number1.phoneNumberId, [textMessage({ text, from })]));
        // As Meta does it: again until it is answered 200.
        for (let status = 0; status !== 200;) {
          status = await postSigned(url(), body).then(
            ({ status: told }) => told,
            () => 0,
          );
          if (status === 200) accepted.add(text);
          else {
            count(status === 0 ? 'webhooks repeated: no answer' : `webhooks repeated: ${status}`);
            if (![0, 503].includes(status)) unexpected.push(`webhook ${status}`);
            await sleep(100);
          }
        }
        count('webhooks taken');
      }
    };

    const replied = new Set<string>();
    const operations = async (who: number) => {
      for (let n = 0; !stop.signal.aborted; n++) {
        const listed = await ask<{ conversations: { nodes: { id: string }[] } | null }>(
          '{ conversations(first: 20) { nodes { id unreadCount beacon { on } lastMessage { preview } } } }',
        );
        const id = listed?.conversations?.nodes[n % 20]?.id;
        if (id && n % 4 === 0) {
          const key = `${who}-${n}`;
          const variables = { input: { conversationId: id, text: `odpověď ${key}`, idempotencyKey: key } };
          const answer = await ask<{ replyToConversation: { message: { id: string } | null } }>(
            'mutation ($input: ReplyToConversationInput!) { replyToConversation(input: $input) { message { id } errors { code } } }',
            variables,
          );
          if (answer?.replyToConversation.message) replied.add(`odpověď ${key}`);
        }
        await sleep(20);
      }
    };

    async function ask<T>(query: string, variables: object = {}): Promise<T | null> {
      try {
        const response = await fetch(`${url()}/graphql`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ query, variables }),
        });
        const { data, errors } = (await response.json()) as { data?: T; errors?: { extensions: { code: string } }[] };
        count(errors ? `operations: ${errors[0]?.extensions.code}` : 'operations answered');
        // While its database is taken away a process says INTERNAL; nothing else may come.
        if (errors && errors[0]?.extensions.code !== 'INTERNAL') unexpected.push(JSON.stringify(errors));
        return data ?? null;
      } catch {
        count('operations without an answer');
        return null;
      }
    }

    const subscribers = Array.from({ length: SUBSCRIBERS }, () => subscriber());
    function subscriber() {
      const sequences: string[] = [];
      const variables: { after: string | null } = { after: null };
      const client = createClient({
        url: () => `${url().replace('http', 'ws')}/graphql`,
        connectionParams: { authorization: `Bearer ${token}` },
        retryAttempts: 10_000,
        retryWait: () => sleep(100),
        shouldRetry: () => true,
      });
      client.on('connected', () => count('sockets opened'));
      client.subscribe<{ messageAdded: { eventId: string; cursor: string; message: { preview: string } | null } }>(
        {
          query:
            'subscription ($after: EventCursor) { messageAdded(after: $after) { eventId cursor message { preview } } }',
          variables,
        },
        {
          next({ data, errors }) {
            if (!data || errors) return;
            sequences.push(data.messageAdded.eventId);
            variables.after = data.messageAdded.cursor;
          },
          error: (error) => unexpected.push(`subscription ${JSON.stringify(error)}`),
          complete() {},
        },
      );
      return { sequences, client };
    }
    await eventually(async () => (counts['sockets opened'] ?? 0) >= SUBSCRIBERS, 20_000);

    const faults = async () => {
      for (let n = 0; !stop.signal.aborted; n++) {
        await sleep(FAULT_EVERY_MS);
        if (stop.signal.aborted) return;
        const kind = ['kill a process', 'kill Redis', 'cut PostgreSQL'][n % 3];
        count(`faults: ${kind}`);
        if (kind === 'kill a process') {
          const index = n % 2;
          running[index]?.process.kill('SIGKILL');
          await running[index]?.ended;
          running[index] = keep(await start(index));
        } else if (kind === 'kill Redis') {
          await redis.kill();
          await sleep(500);
          await redis.start();
        } else {
          await runSql(
            database.url,
            'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
          );
        }
      }
    };

    const memory: number[][] = [[], []];
    const watch = async () => {
      while (!stop.signal.aborted) {
        for (const [index, { process: child }] of running.entries()) memory[index]?.push(residentMb(child.pid));
        await sleep(500);
      }
    };

    const work = [webhooks(1), webhooks(2), operations(1), operations(2), faults(), watch()];
    await sleep(SECONDS * 1_000);
    stop.abort();
    await Promise.all(work);

    const stored = async () =>
      (await runSql(database.url, `SELECT preview, send_state AS state FROM message ORDER BY preview`)) as {
        preview: string;
        state: string | null;
      }[];
    await eventually(
      async () => (await stored()).every(({ state }) => state !== 'QUEUED' && state !== 'SENDING'),
      90_000,
    );
    const messages = await stored();
    await eventually(
      async () => subscribers.every(({ sequences }) => new Set(sequences).size >= messages.length),
      60_000,
    );
    for (const { client } of subscribers) await client.dispose();
    const growth = memory.map((samples) => growthOf(samples));
    report({ ...counts, 'messages stored': messages.length, 'growth of memory in MB': Math.max(...growth) });

    const previews = messages.map(({ preview }) => preview);
    expect([...accepted, ...replied].filter((text) => !previews.includes(text))).toEqual([]);
    expect(previews.length).toBe(new Set(previews).size);
    for (const { sequences } of subscribers) expect(new Set(sequences).size).toBe(messages.length);
    expect(unexpected).toEqual([]);
    expect(Math.max(...growth)).toBeLessThan(MAX_GROWTH_MB);
  },
);

function residentMb(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
  } catch {
    return 0;
  }
}

/** From the middle of the second quarter to that of the last one: a process that was just started is still warming up. */
function growthOf(samples: number[]): number {
  const median = (from: number, to: number) =>
    samples.slice(Math.floor(samples.length * from), Math.ceil(samples.length * to)).toSorted((a, b) => a - b)[
      Math.floor((samples.length * (to - from)) / 2)
    ] ?? 0;
  return Math.round(median(0.75, 1) - median(0.25, 0.5));
}

function report(rows: Record<string, number>): void {
  const width = Math.max(...Object.keys(rows).map(({ length }) => length));
  const lines = Object.entries(rows).map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  process.stdout.write(`\n${SECONDS} seconds\n${lines.join('\n')}\n`);
}
