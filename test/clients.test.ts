import { ApolloClient, gql as apolloGql, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createClient as createUrqlClient, subscriptionExchange } from '@urql/core';
import { EventSource } from 'eventsource';
import { GraphQLClient } from 'graphql-request';
import { createClient, type Client } from 'graphql-ws';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { resuming } from '../examples/dashboard/resuming.ts';
import { readEvents } from '../examples/dashboard/server-sent-events.ts';
import { startCuttable, type Cuttable } from './support/cuttable.ts';
import { appendEvents } from './support/event-log.ts';
import { eventually } from './support/events.ts';
import { startTestServer, type TestServer } from './support/server.ts';

const EVENTS = `subscription Live($after: EventCursor) {
  events(types: [UNREAD_CHANGED], after: $after) { __typename cursor eventId ... on UnreadChanged { unreadCount } } }`;
type Live = { events: { __typename: string; cursor: string; unreadCount?: number } };

const stack = new AsyncDisposableStack();
let server: TestServer;
let way: Cuttable;

beforeAll(async () => {
  server = stack.use(await startTestServer());
  way = stack.use(await startCuttable(server.url));
});

beforeEach(() => way.mend());

afterAll(() => stack.disposeAsync());

/** Sees 1, is cut off, misses 2 and 3, comes back, and sees 4: everything once and in order. */
async function lives(seen: number[], isFollowing: () => boolean): Promise<number[]> {
  const unread = (unreadCount: number) => appendEvents(server, { type: 'UNREAD_CHANGED', data: { unreadCount } });
  await eventually(async () => isFollowing());
  await unread(1);
  await eventually(async () => seen.length === 1);
  way.cut();
  await unread(2);
  await unread(3);
  way.mend();
  await eventually(async () => seen.length === 3);
  await unread(4);
  await eventually(async () => seen.length === 4);
  return seen;
}

function webSocketClient(): Client {
  const client = createClient({
    url: `${way.url.replace('http', 'ws')}/graphql`,
    connectionParams: { authorization: `Bearer ${server.dashboardToken}` },
    retryAttempts: 100,
    shouldRetry: () => true,
    retryWait: () => new Promise((resolve) => setTimeout(resolve, 50)),
  });
  stack.defer(async () => {
    await client.dispose();
  });
  return resuming(client, (data) => (data as Live).events.cursor);
}

/** Counts what is an event and notes that the subscription stands. */
function createCounter() {
  const seen: number[] = [];
  let isFollowing = false;
  return {
    seen,
    isFollowing: () => isFollowing,
    take: ({ events }: Live) => {
      isFollowing = true;
      if (events.unreadCount !== undefined) seen.push(events.unreadCount);
    },
  };
}

describe('resumes after its connection was cut:', () => {
  it('graphql-ws', async () => {
    const { seen, take, isFollowing } = createCounter();

    webSocketClient().subscribe<Live>(
      { query: EVENTS },
      { next: ({ data }) => data && take(data), error: () => {}, complete: () => {} },
    );

    expect(await lives(seen, isFollowing)).toEqual([1, 2, 3, 4]);
  });

  it('urql', async () => {
    const { seen, take, isFollowing } = createCounter();
    const socket = webSocketClient();
    const client = createUrqlClient({
      url: `${way.url}/graphql`,
      preferGetMethod: false,
      exchanges: [
        subscriptionExchange({
          forwardSubscription: ({ query = '', variables }) => ({
            subscribe: (sink) => ({
              unsubscribe: socket.subscribe(
                { query, variables: variables as Record<string, unknown> },
                { ...sink, next: (result) => sink.next(result as Parameters<typeof sink.next>[0]) },
              ),
            }),
          }),
        }),
      ],
    });

    const subscription = client.subscription<Live>(EVENTS, {}).subscribe(({ data }) => data && take(data));

    expect(await lives(seen, isFollowing)).toEqual([1, 2, 3, 4]);
    subscription.unsubscribe();
  });

  it('Apollo Client', async () => {
    const { seen, take, isFollowing } = createCounter();
    const client = new ApolloClient({ link: new GraphQLWsLink(webSocketClient()), cache: new InMemoryCache() });

    const subscription = client
      .subscribe<Live>({ query: apolloGql(EVENTS), fetchPolicy: 'no-cache' })
      .subscribe(({ data }) => data && take(data));

    expect(await lives(seen, isFollowing)).toEqual([1, 2, 3, 4]);
    subscription.unsubscribe();
  });

  it('EventSource, with a ticket in place of the header that it cannot send', async () => {
    const { seen, take, isFollowing } = createCounter();
    const answer = await fetch(`${way.url}/graphql/ticket`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${server.dashboardToken}` },
    });
    const { ticket } = (await answer.json()) as { ticket: string };
    const source = new EventSource(`${way.url}/graphql?${new URLSearchParams({ query: EVENTS, ticket }).toString()}`);

    source.addEventListener('next', ({ data }: { data: string }) => take((JSON.parse(data) as { data: Live }).data));

    expect(await lives(seen, isFollowing)).toEqual([1, 2, 3, 4]);
    source.close();
  });

  it('fetch', async () => {
    const { seen, take, isFollowing } = createCounter();
    const stop = new AbortController();
    let cursor: string | null = null;
    const follow = async () => {
      const answer = await fetch(`${way.url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'text/event-stream',
          authorization: `Bearer ${server.dashboardToken}`,
          ...(cursor && { 'last-event-id': cursor }),
        },
        body: JSON.stringify({ query: EVENTS }),
        signal: stop.signal,
      });
      if (!answer.body) return;
      for await (const { event, id, data } of readEvents(answer.body)) {
        cursor = id ?? cursor;
        if (event === 'next') take((JSON.parse(data) as { data: Live }).data);
      }
    };
    const running = (async () => {
      while (!stop.signal.aborted) await follow().catch(() => new Promise((resolve) => setTimeout(resolve, 50)));
    })();

    expect(await lives(seen, isFollowing)).toEqual([1, 2, 3, 4]);
    stop.abort();
    await running;
  });

  it('graphql-request, which asks again', async () => {
    const client = new GraphQLClient(`${way.url}/graphql`, {
      headers: { authorization: `Bearer ${server.dashboardToken}` },
    });
    const { stream } = await client.request<{ stream: { head: string } }>('{ stream { head } }');
    const asked = () =>
      client.request<{ events: { events: unknown[] } }>(
        'query Missed($after: EventCursor!) { events(after: $after, types: [UNREAD_CHANGED]) { events { eventId } } }',
        { after: stream.head },
      );

    way.cut();
    await appendEvents(server, { type: 'UNREAD_CHANGED', data: { unreadCount: 1 } });
    await expect(asked()).rejects.toBeInstanceOf(Error);
    way.mend();

    expect((await asked()).events.events).toHaveLength(1);
  });
});
