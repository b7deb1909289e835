import { GraphQLClient } from 'graphql-request';
import { createClient } from 'graphql-ws';
import { describe, expect, it } from 'vitest';
import { subjectOf } from '../src/demo-data.ts';
import { loadEnv } from '../src/env.ts';
import { signIn } from '../src/sign-in.ts';
import { createTestDatabase, runSql } from './support/database.ts';
import { eventually } from './support/events.ts';
import { freePort } from './support/free-port.ts';
import { keepPerTest } from './support/keep.ts';
import { findNginx, startNginx } from './support/nginx.ts';
import { batchOf, textMessage } from './support/payloads.ts';
import { sharedSettings, startServerProcess, type ServerProcess } from './support/process.ts';
import { createTestRedis } from './support/redis.ts';
import { number1, postSigned } from './support/server.ts';

const nginx = await findNginx();
if (!nginx)
  process.stdout.write('nginx is missing and could not be downloaded: install nginx to test rolling updates\n');

const keep = keepPerTest();

type Event = { messageAdded: { eventId: string; cursor: string; message: { preview: string } } };

describe('a rolling update behind a proxy', () => {
  it.skipIf(!nginx)(
    'loses no webhook and no event while both processes are replaced under load',
    async () => {
      if (!nginx) return;
      const database = keep(await createTestDatabase());
      const settings = {
        DATABASE_URL: database.url,
        REDIS_URL: (await createTestRedis()).url,
        SHUTDOWN_GRACE_MS: '1000',
        TRUSTED_PROXIES: '127.0.0.1',
      };
      const ports = [await freePort(), await freePort()];
      const start = (port: number) => startServerProcess({ ...settings, PORT: String(port) });
      const running: ServerProcess[] = [];
      for (const port of ports) running.push(keep(await start(port)));
      const proxy = keep(await startNginx(nginx, await freePort(), ports));
      const env = loadEnv({ ...sharedSettings, DATA_DIR: '.cache' });
      const token = await signIn(env, { subject: subjectOf('boris'), login: 'boris' });

      const seen: Event['messageAdded'][] = [];
      // Loaded before the first change; the client may still be connecting when that happens.
      const variables = { after: await headBehind(proxy.url, token) };
      const client = createClient({
        url: `${proxy.url.replace('http', 'ws')}/graphql`,
        connectionParams: { authorization: `Bearer ${token}` },
        retryAttempts: 100,
        retryWait: () => new Promise((resolve) => setTimeout(resolve, 50)),
        shouldRetry: () => true,
      });
      const failures: unknown[] = [];
      let connections = 0;
      client.on('connected', () => (connections += 1));
      client.subscribe<Event>(
        // The client sends these variables again when it connects again: with the cursor of the last event.
        {
          query:
            'subscription ($after: EventCursor) { messageAdded(after: $after) { eventId cursor message { preview } } }',
          variables,
        },
        {
          next({ data }) {
            if (!data) return;
            seen.push(data.messageAdded);
            variables.after = data.messageAdded.cursor;
          },
          error: (error) => failures.push(error),
          complete() {},
        },
      );
      await eventually(async () => connections > 0, 10_000);

      const updated = new AbortController();
      const answers: number[] = [];
      const sent: string[] = [];
      const load = Array.from({ length: 3 }, async (_, sender) => {
        for (let n = 0; !updated.signal.aborted; n++) {
          const text = `${sender}-${n}`;
          const body = JSON.stringify(batchOf(number1.phoneNumberId, [textMessage({ text })]));
          // Meta repeats what is not answered 200; here nothing is repeated, so that anything else shows.
          answers.push((await postSigned(proxy.url, body)).status);
          sent.push(text);
        }
      });
      for (const [index, port] of ports.entries()) {
        running[index]?.process.kill('SIGTERM');
        expect(await running[index]?.ended).toBe(0);
        const successor = keep(await start(port));
        // The proxy asks a server that failed only after its `fail_timeout` again; the next one may not go before.
        await eventually(() => takesWebhooks(successor), 10_000);
      }
      updated.abort();
      await Promise.all(load);
      expect(new Set(answers)).toEqual(new Set([200]));
      await eventually(async () => seen.length >= sent.length, 20_000);
      await client.dispose();

      expect(seen.map(({ message }) => message.preview).toSorted()).toEqual(sent.toSorted());
      expect(new Set(seen.map(({ eventId }) => eventId)).size).toBe(sent.length);
      const stored = (await runSql(database.url, 'SELECT preview FROM message')) as { preview: string }[];
      expect(stored.map(({ preview }) => preview).toSorted()).toEqual(sent.toSorted());
      expect(connections).toBeGreaterThan(1);
      expect(failures).toEqual([]);
    },
    90_000,
  );
});

async function headBehind(url: string, token: string): Promise<string> {
  const { stream } = await new GraphQLClient(`${url}/graphql`, {
    headers: { authorization: `Bearer ${token}` },
  }).request<{ stream: { head: string } }>('{ stream { head } }');
  return stream.head;
}

async function takesWebhooks({ url }: ServerProcess): Promise<boolean> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return /^cdesk_http_request_seconds_count\{route="\/webhooks\/whatsapp",status="200"\} [1-9]/m.test(metrics);
}
