import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEvents, type ServerSentEvent } from '../examples/dashboard/server-sent-events.ts';
import { subjectOf } from '../src/demo-data.ts';
import { signIn } from '../src/sign-in.ts';
import { createTickets } from '../src/ticket.ts';
import { appendEvents, cursorAt, headOf, makeToken } from './support/event-log.ts';
import { collect, eventually } from './support/events.ts';
import { startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ settings: { SLOW_CLIENT_SECONDS: '1', STREAM_PROGRESS_SECONDS: '1' } });
});

afterAll(() => server[Symbol.asyncDispose]());

const EVENTS = 'subscription { events { __typename cursor eventId ... on ConversationChanged { changedFields } } }';
type Told = { data?: { events: { __typename: string; changedFields?: string[] } }; errors?: unknown };

function follow(
  token: string,
  lastEventId: string | null = null,
  at = server,
  signal: AbortSignal | null = null,
): Promise<Response> {
  return fetch(`${at.url}/graphql`, {
    method: 'POST',
    signal,
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${token}`,
      ...(lastEventId !== null && { 'last-event-id': lastEventId }),
    },
    body: JSON.stringify({ query: EVENTS }),
  });
}

/** Everything that is said until the stream ends. */
async function readAll({ body }: Response): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  if (body) for await (const event of readEvents(body)) events.push(event);
  return events;
}

async function openStreams(): Promise<number> {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^cdesk_event_sources (\d+)$/m.exec(metrics)?.[1]);
}

const toldBy = ({ data }: ServerSentEvent) => JSON.parse(data) as Told;

describe('a stream that ends for good', () => {
  it.each([
    ['because the token is revoked', revoked],
    ['because the log-in runs out', runOut],
  ])('%s says so in its last frame, and who comes back with that id is answered 204', async (_why, end) => {
    const { token, ended } = await end();
    const answer = await follow(token);
    await ended();

    const events = await readAll(answer);
    const again = await follow(token, 'ended');

    const [last, complete] = events.slice(-2);
    expect([last?.id, complete?.event]).toEqual(['ended', 'complete']);
    expect(last?.data).toContain('UNAUTHENTICATED');
    expect([again.status, await again.text()]).toEqual([204, '']);
  });

  async function revoked() {
    const { id, secret } = await makeToken(server, ['READ_EVENTS']);
    const ended = () => server.sql('UPDATE api_token SET revoked_at = now() WHERE id = $1', [id]);
    return { token: secret, ended };
  }

  async function runOut() {
    const token = await signIn(server.env, { subject: subjectOf('boris'), login: 'boris' }, 2);
    return { token, ended: async () => {} };
  }
});

describe('a log-in that runs out', () => {
  it('closes its sockets with 4403', async () => {
    const socket = server.socket(await signIn(server.env, { subject: subjectOf('boris'), login: 'boris' }, 2));
    const closed = new Promise<unknown>((resolve) => socket.on('closed', resolve));
    const live = collect(socket, EVENTS);
    await live.take(1);

    expect(await closed).toMatchObject({ code: 4403 });
  });
});

describe('a ticket', () => {
  it('opens a stream within its minute and not after it', () => {
    const tickets = createTickets([Buffer.alloc(32, 7)]);
    const { ticket, expiresInSeconds } = tickets.issue('credential', new Date(0));

    const redeemed = [expiresInSeconds * 1000 - 1, expiresInSeconds * 1000].map((at) =>
      tickets.redeem(ticket, new Date(at)),
    );

    expect(redeemed).toEqual(['credential', null]);
  });

  it('is had for the header alone, opens more than one stream, and does not show the credential', async () => {
    const asked = await fetch(`${server.url}/graphql/ticket`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.dashboardToken}` },
    });
    expect(asked.status).toBe(200);
    const { ticket, expiresInSeconds } = (await asked.json()) as { ticket: string; expiresInSeconds: number };

    expect(expiresInSeconds).toBe(60);
    expect(ticket).toMatch(/^[\w.-]+$/);
    const decoded = ticket.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'));
    for (const text of [ticket, ...decoded]) expect(text).not.toContain(server.dashboardToken);
    for (let use = 0; use < 2; use++) {
      const stream = await fetch(`${server.url}/graphql?query=${encodeURIComponent(EVENTS)}&ticket=${ticket}`, {
        headers: { accept: 'text/event-stream' },
      });
      expect(stream.status).toBe(200);
      await stream.body?.cancel();
    }
  });

  it.each([
    ['changed', (ticket: string) => ticket.replace(/.(?=.{8}$)/, (one) => (one === 'A' ? 'B' : 'A'))],
    ['of other making', () => createTickets([Buffer.alloc(32, 8)]).issue('credential', new Date()).ticket],
    [
      'past its minute',
      () => createTickets([server.env.encryptionKey]).issue('x', new Date(Date.now() - 60_001)).ticket,
    ],
    ['no ticket at all', () => 'nonsense'],
  ])('%s is refused with 401', async (_what, forge) => {
    const { ticket } = createTickets([server.env.encryptionKey]).issue(server.dashboardToken, new Date());

    const answer = await fetch(
      `${server.url}/graphql?${new URLSearchParams({ query: EVENTS, ticket: forge(ticket) }).toString()}`,
      { headers: { accept: 'text/event-stream' } },
    );

    expect(answer.status).toBe(401);
  });
});

describe('a quiet stream', () => {
  it('tells its progress at once and at every interval, and its cursor moves over what it does not show', async () => {
    const answer = await follow((await makeToken(server, ['READ_EVENTS'])).secret);
    const cursors: string[] = [];
    let appended = 0;
    for await (const event of readEvents(answer.body ?? new ReadableStream())) {
      const { data } = toldBy(event);
      expect(data?.events.__typename).toBe('StreamProgress');
      cursors.push(event.id ?? '');
      if (cursors.length === 1) {
        // Not for a token that reads no requests.
        await appendEvents(server, { type: 'REQUEST_CHANGED', data: { changedFields: [] } });
        appended = (await headOf(server)).seq;
      }
      if (
        Buffer.from(event.id ?? '', 'base64url')
          .toString()
          .endsWith(`.${appended}`)
      )
        break;
    }

    expect(cursors.length).toBeGreaterThan(1);
    expect(new Set(cursors).size).toBeGreaterThan(1);
  });
});

describe('a stream that is still being opened', () => {
  it('is refused where the token was revoked meanwhile, before anything of after that leaves', async () => {
    const { id, secret } = await makeToken(server, ['READ_EVENTS']);
    const body = JSON.stringify({
      query: EVENTS.replace('events {', `events(after: "${await cursorAt(server, (await headOf(server)).seq)}") {`),
    });
    const { asking, finish } = beginAsking(secret, body);
    await eventually(async () => (await openStreams()) === 1);

    await server.sql('UPDATE api_token SET revoked_at = now() WHERE id = $1', [id]);
    await appendEvents(server, { type: 'CONVERSATION_CHANGED', data: { changedFields: ['name'] } });
    await eventually(async () => (await openStreams()) === 0);
    finish();

    const [answer] = (await once(asking, 'response')) as [IncomingMessage];
    const text = (await answer.toArray()).join('');
    expect([answer.statusCode, text.includes('UNAUTHENTICATED'), text.includes('data: ')]).toEqual([401, true, false]);
  });

  it('frees its place where the client is gone before it was let in', async () => {
    await using one = await startTestServer({ settings: { MAX_SOCKETS_PER_VIEWER: '1' } });
    const held = new pg.Client({ connectionString: one.databaseUrl });
    await held.connect();
    await held.query('BEGIN; LOCK TABLE api_token IN ACCESS EXCLUSIVE MODE');
    const gone = new AbortController();
    const asked = follow(one.dashboardToken, null, one, gone.signal);
    await eventually(async () => (await waiting(held)) > 0);

    gone.abort();
    await expect(asked).rejects.toThrow('aborted');
    await new Promise((resolve) => setTimeout(resolve, 50));
    await held.query('COMMIT');
    await held.end();

    const answer = await follow(one.dashboardToken, null, one);
    expect(answer.status).toBe(200);
    await answer.body?.cancel();
  });

  async function waiting(held: pg.Client): Promise<number> {
    const { rowCount } = await held.query(
      "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'api_token'::regclass",
    );
    return rowCount ?? 0;
  }

  /** All of the request but its last byte. */
  function beginAsking(token: string, body: string) {
    const asking = request(`${server.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        accept: 'text/event-stream',
        authorization: `Bearer ${token}`,
      },
    });
    asking.write(body.slice(0, -1));
    return { asking, finish: () => asking.end(body.slice(-1)) };
  }
});

describe('a reader that does not read', () => {
  it('is ended alone, and going on from its last id it misses nothing', async () => {
    const sleeper = await openSleeper();
    const other = server.socket(server.dashboardToken);
    const live = collect<NonNullable<Told['data']>>(other, EVENTS);
    await live.take(1);

    const long = 'x'.repeat(10_000);
    for (let batch = 0; batch < 20; batch++) {
      const events = Array.from({ length: 100 }, (_, index) => ({
        type: 'CONVERSATION_CHANGED' as const,
        conversationId: '00000000-0000-4000-8000-000000000000',
        data: { changedFields: [String(batch * 100 + index), long] },
      }));
      await appendEvents(server, ...events);
    }
    const numbersOf = (all: NonNullable<Told['data']>[]) =>
      all.flatMap(({ events }) => (events.changedFields ? Number(events.changedFields[0]) : []));
    await eventually(async () => numbersOf(live.all).length === 2_000, 40_000);
    await eventually(async () => (await openStreams()) === 0);
    const before = await wake(sleeper);
    const lastId = before.findLast(({ id }) => id !== null)?.id ?? null;
    const after = await readUntil(await follow(server.dashboardToken, lastId), 1_999);

    expect(numbersOf(live.all)).toEqual(Array.from({ length: 2_000 }, (_, index) => index));
    expect(lastId).not.toBe('ended');
    const seen = numbersOf([...before, ...after].flatMap((event) => toldBy(event).data ?? []));
    expect(seen).toEqual(Array.from({ length: 2_000 }, (_, index) => index));
    await other.dispose();
  });

  /** Subscribed, and then never reads on. */
  async function openSleeper(): Promise<IncomingMessage> {
    const asking = request(`${server.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${server.dashboardToken}`,
      },
    });
    asking.end(JSON.stringify({ query: EVENTS }));
    const [answer] = (await once(asking, 'response')) as [IncomingMessage];
    answer.on('error', () => {});
    await eventually(async () => (await openStreams()) === 1);
    return answer;
  }

  /** What had come before it was cut off; a frame that is not whole was not read. */
  async function wake(answer: IncomingMessage): Promise<ServerSentEvent[]> {
    const events: ServerSentEvent[] = [];
    try {
      // Bytes, as `fetch` gives them.
      const body = Readable.toWeb(answer) as ReadableStream<Uint8Array>;
      for await (const event of readEvents(body))
        if (event.event === 'next' && !event.data.includes('"errors"')) events.push(event);
    } catch {
      // Cut in the middle.
    }
    return events;
  }

  async function readUntil(answer: Response, last: number): Promise<ServerSentEvent[]> {
    const events: ServerSentEvent[] = [];
    for await (const event of readEvents(answer.body ?? new ReadableStream())) {
      events.push(event);
      if (Number(toldBy(event).data?.events.changedFields?.[0]) === last) break;
    }
    return events;
  }
});

describe('a graceful stop', () => {
  it('sends sockets and streams elsewhere one after the other, over its share of the time', async () => {
    const stopping = await startTestServer({ settings: { SHUTDOWN_GRACE_MS: '3000' } });
    const gone: number[] = [];
    const clients = Array.from({ length: 20 }, () => stopping.socket(stopping.dashboardToken));
    const codes = clients.map((client) => {
      client.on('closed', () => gone.push(Date.now()));
      return new Promise<unknown>((resolve) => client.on('closed', resolve));
    });
    await Promise.all(clients.map((client) => collect(client, EVENTS).take(1)));
    const streams = Array.from({ length: 10 }, () => follow(stopping.dashboardToken, null, stopping));
    const said = (await Promise.all(streams)).map((answer) => answer.text());

    const begun = Date.now();
    await stopping[Symbol.asyncDispose]();

    expect(await Promise.all(codes)).toEqual(Array.from({ length: 20 }, () => expect.objectContaining({ code: 1001 })));
    const pauses = (await Promise.all(said)).map((text) => Number(/retry: (\d+)\n\n$/.exec(text)?.[1]));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(500);
    expect(new Set(pauses).size).toBeGreaterThan(5);
    // Thirty percent of three seconds: in each half of it about half of them.
    const early = gone.filter((at) => at - begun < 450).length;
    expect(early).toBeGreaterThan(4);
    expect(early).toBeLessThan(16);
    expect(Math.max(...gone) - Math.min(...gone)).toBeGreaterThan(600);
  });
});
