import { randomUUID } from 'node:crypto';
import {
  getOperationAST,
  GraphQLInt,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  parse,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Viewer } from '../src/auth.ts';
import type { Context } from '../src/context.ts';
import { openDatabase, type Database } from '../src/db/database.ts';
import { transaction } from '../src/db/transaction.ts';
import { forbidden } from '../src/errors.ts';
import { encodeStreamCursor } from '../src/events/cursor.ts';
import { createHub, type Hub } from '../src/events/hub.ts';
import { createInProcessTransport } from '../src/events/live-transport.ts';
import type { LogSource, LogStream, SnapshotSource } from '../src/events/stream-source.ts';
import { createStreams } from '../src/events/streams.ts';
import type { Subscription } from '../src/events/subscription.ts';
import { createOperations, type Operation } from '../src/execution/operation.ts';
import { createRates } from '../src/execution/rates.ts';
import { readTrustedDocuments } from '../src/execution/trusted-documents.ts';
import { createLog } from '../src/log.ts';
import { noTracing } from '../src/tracing/tracing.ts';
import { createTestDatabase } from './support/database.ts';
import { eventually } from './support/events.ts';
import { createRecordingSink, type RecordingSink } from './support/sink.ts';

const undo = new AsyncDisposableStack();
const log = createLog({ logLevel: 'warn', logFormat: 'json' });
let db: Database;
let hub: Hub;

beforeAll(async () => {
  db = undo.use(openDatabase({ url: undo.use(await createTestDatabase()).url, poolSize: 4 }));
  hub = undo.use(await createHub({ pool: db.pool, transport: createInProcessTransport(), log }));
  db.onCommitted = (events) => hub.publish(events);
});

afterAll(() => undo.disposeAsync());

const reader: Viewer = {
  kind: 'operator',
  operatorId: randomUUID(),
  permissions: new Set(['READ_CONVERSATIONS']),
  issuedAt: null,
  expiresAt: null,
  address: null,
};
const nobody: Viewer = { ...reader, permissions: new Set() };

describe('a snapshot', () => {
  it('is sent at once, then when it changed, and not when it is the same', async () => {
    let value = 1;
    await using streams = open({
      kind: 'snapshot',
      open: () => ({ read: async () => value, concerns: () => true, intervalMs: 20 }),
    });
    const sink = createRecordingSink();
    await streams.ask(sink);

    expect(await sink.data(1)).toEqual([{ value: 1 }]);
    await append();
    value = 2;
    await append();

    expect(await sink.data(2)).toEqual([{ value: 1 }, { value: 2 }]);
  });

  it('is coalesced: many changes within the interval are one payload', async () => {
    let value = 0;
    await using streams = open({
      kind: 'snapshot',
      open: () => ({ read: async () => value, concerns: () => true, intervalMs: 300 }),
    });
    const sink = createRecordingSink();
    await streams.ask(sink);
    await sink.data(1);

    for (value = 1; value < 20; value++) await append();

    expect(await sink.data(2)).toEqual([{ value: 0 }, { value: 20 }]);
  });

  it('is read once for all who come at the same moment, and always after they came', async () => {
    let reads = 0;
    await using streams = open({ kind: 'snapshot', open: () => ({ read: async () => ++reads }) });
    const sinks = Array.from({ length: 100 }, createRecordingSink);

    await Promise.all(sinks.map((sink) => streams.ask(sink)));
    await Promise.all(sinks.map((sink) => sink.data(1)));

    expect(reads).toBeLessThan(4);
  });

  it('changes by what is watched and by time, and stops watching with the last subscriber', async () => {
    let changed = () => {};
    let isWatched = false;
    const midnight = new Date(Date.now() + 300);
    await using streams = open({
      kind: 'snapshot',
      open: () => ({
        read: async () => (Date.now() < midnight.getTime() ? Number(isWatched) : 99),
        watch(told) {
          isWatched = true;
          changed = told;
          return () => (isWatched = false);
        },
        nextAt: (after) => (after < midnight ? midnight : null),
        intervalMs: 10,
      }),
    });
    const sink = createRecordingSink();
    const subscription = await streams.ask(sink);
    changed();

    expect(await sink.data(2)).toEqual([{ value: 1 }, { value: 99 }]);
    subscription.close();
    expect([isWatched, streams.size()]).toEqual([false, 0]);
  });

  it('reaches a slow reader only with its newest value', async () => {
    let value = 1;
    await using streams = open({
      kind: 'snapshot',
      open: () => ({ read: async () => value, concerns: () => true, intervalMs: 10 }),
    });
    const sink = createRecordingSink();
    await streams.ask(sink);
    await sink.data(1);
    sink.clog(true);
    const other = createRecordingSink();
    await streams.ask(other);
    await other.data(1);

    for (value = 2; value < 5; value++) {
      await append();
      await other.data(value);
    }
    value = 5;
    sink.clog(false);

    expect(await sink.data(2)).toEqual([{ value: 1 }, { value: 5 }]);
  });

  it('ends where its rights are lost, by the reading and by the viewer', async () => {
    let mayRead = true;
    await using streams = open({
      kind: 'snapshot',
      open: (_args, { viewer }) => {
        if (viewer === nobody) throw forbidden('no');
        return {
          concerns: () => true,
          intervalMs: 10,
          async read() {
            if (!mayRead) throw forbidden('no more');
            return 1;
          },
        };
      },
    });
    const [byViewer, byReading] = [createRecordingSink(), createRecordingSink()];
    const subscription = await streams.ask(byViewer);
    await streams.ask(byReading);
    await Promise.all([byViewer.data(1), byReading.data(1)]);

    await subscription.reopen(nobody);
    mayRead = false;
    await append();

    expect(byViewer.refusals.map((refusal) => refusal.message)).toEqual(['no']);
    await eventually(async () => byReading.refusals.length === 1);
    await expect(streams.ask(byViewer, { viewer: nobody })).rejects.toThrow('no');
  });
});

describe('a stream made from the log', () => {
  const doubled: LogSource<number> = {
    kind: 'log',
    open: () => ({ wants: () => true, rootOf: async ({ data }) => (Number(data.n) % 2 ? null : Number(data.n) * 2) }),
  };

  it('sends what comes of an event, or nothing, and resumes from the cursor of either', async () => {
    await using streams = open(doubled);
    const start = encodeStreamCursor(hub.head());
    const live = createRecordingSink();
    await streams.ask(live);

    for (const n of [1, 2, 3, 4, 5, 6]) await append({ n });
    expect(await live.data(3)).toEqual([{ value: 4 }, { value: 8 }, { value: 12 }]);

    const fromStart = createRecordingSink();
    const fromSecond = createRecordingSink();
    await streams.ask(fromStart, { after: start });
    await streams.ask(fromSecond, { after: live.frames[1]?.cursor });
    expect(await fromStart.data(3)).toEqual([{ value: 4 }, { value: 8 }, { value: 12 }]);
    expect(await fromSecond.data(1)).toEqual([{ value: 12 }]);
  });

  it('tells what time alone changed: to live ones at the instant, to those who were away when they resume', async () => {
    const midnight = new Date(Date.now() + 250);
    await append({ n: 1 });
    const before = encodeStreamCursor(hub.head());
    await using streams = open({
      kind: 'log',
      open: () => ({
        wants: () => false,
        byTime: {
          nextAt: (after) => (after < midnight ? midnight : null),
          rootsBetween: async ({ from, to }) => (from < midnight && midnight <= to ? [24] : []),
        },
      }),
    });
    const live = createRecordingSink();
    await streams.ask(live);

    expect(await live.data(1)).toEqual([{ value: 24 }]);
    expect(live.frames[0]?.cursor).toBe(before);

    const resumed = createRecordingSink();
    const fresh = createRecordingSink();
    await streams.ask(resumed, { after: before });
    await streams.ask(fresh);
    expect(await resumed.data(1)).toEqual([{ value: 24 }]);
    expect([live.frames.length, fresh.frames.length]).toEqual([1, 0]);
  });

  it('goes on after an event that fails: its frame carries the error and no cursor', async () => {
    await using streams = open({
      kind: 'log',
      open: () => ({
        wants: () => true,
        async rootOf({ data }) {
          if (data.n === 1) throw new Error('a secret');
          return Number(data.n);
        },
      }),
    });
    const sink = createRecordingSink();
    await streams.ask(sink);

    await append({ n: 1 });
    await append({ n: 2 });

    expect(await sink.data(2)).toEqual([null, { value: 2 }]);
    expect(sink.frames.map(({ cursor }) => cursor !== null)).toEqual([false, true]);
    expect(sink.frames[0]?.payload.toString()).not.toContain('secret');
  });
});

describe('whoever is between two places', () => {
  const everyEvent: LogStream<number> = { wants: () => true, rootOf: async ({ data }) => Number(data.n) };

  it('is not served by what is left of those who were ended: the log began anew', async () => {
    await append({ n: 1 });
    await using streams = open({ kind: 'log', open: () => everyEvent });
    // As over Server-Sent Events: it is closed only once the client has taken its last frame.
    const ended = createRecordingSink();
    await streams.ask(ended);
    await append({ n: 2 });
    await ended.data(1);

    await setLogBack();
    const anew = createRecordingSink();
    await streams.ask(anew);
    await append({ n: 3 });

    expect(await anew.data(1)).toEqual([{ value: 3 }]);
    expect([reasonsOf(ended), ended.frames.length]).toEqual([['EPOCH_CHANGED'], 1]);
  });

  it('has its rights looked at for every change of rights in the new log, too', async () => {
    let looks = 0;
    await using streams = open({ kind: 'log', open: () => everyEvent }, hub, async () => void (looks += 1));
    await streams.ask(createRecordingSink());
    await appendAccessChange();
    await eventually(async () => looks === 1);

    await setLogBack();
    await streams.ask(createRecordingSink());
    await appendAccessChange();

    await eventually(async () => looks > 1);
    expect(looks).toBe(2);
  });

  it('is told that the log began anew while its rights were looked at', async () => {
    const looked = Promise.withResolvers<void>();
    await using streams = open({
      kind: 'log',
      async open(_args, { viewer }) {
        if (viewer === nobody) await looked.promise;
        return everyEvent;
      },
    });
    await append({ n: 1 });
    const sink = createRecordingSink();
    const subscription = await streams.ask(sink);

    const reopening = subscription.reopen(nobody);
    await setLogBack();
    looked.resolve();
    await reopening;
    await append({ n: 2 });

    await eventually(async () => sink.refusals.length > 0);
    expect([reasonsOf(sink), sink.frames]).toEqual([['EPOCH_CHANGED'], []]);
  });

  it('is ended with all others that were open by then', async () => {
    for (const kind of ['log', 'snapshot'] as const) {
      const looked = Promise.withResolvers<void>();
      const opened = async () => {
        await looked.promise;
        return { ...everyEvent, read: async () => 1 };
      };
      await using streams = open({ kind, open: opened });
      const sink = createRecordingSink();
      const asking = streams.ask(sink);

      streams.endAll();
      looked.resolve();

      await expect(asking).rejects.toThrow('everything ends');
      expect(streams.size()).toBe(0);
      await streams.ask(sink);
      expect(streams.size()).toBe(1);
    }
  });

  it('is told what every change of its rights changed, though the next one came before it was told', async () => {
    const told = Promise.withResolvers<void>();
    const less: Viewer = { ...reader, permissions: new Set(['REPLY', 'SEND_TEMPLATES']) };
    await using streams = open({
      kind: 'log',
      open: () => ({
        wants: () => false,
        async rootsOnReopen(before, { viewer }) {
          if (viewer === less) await told.promise;
          return [before.kind === 'operator' ? [...before.permissions].length : 0];
        },
      }),
    });
    const sink = createRecordingSink();
    const subscription = await streams.ask(sink);

    await subscription.reopen(less);
    await subscription.reopen(nobody);
    told.resolve();

    expect(await sink.data(1)).toEqual([{ value: reader.permissions.size }]);
  });

  it('is told where events are gone before it, also in the middle of what it reads', async () => {
    const begun = encodeStreamCursor(hub.head());
    for (const n of [1, 2, 3]) await append({ n });
    await db.pool.query('DELETE FROM event WHERE seq = $1', [hub.head().seq - 1]);
    // Another process has not seen them happen and reads them.
    await using later = await createHub({ pool: db.pool, transport: createInProcessTransport(), log });
    await using streams = open({ kind: 'log', open: () => everyEvent }, later);
    const sink = createRecordingSink();

    await streams.ask(sink, { after: begun });

    await eventually(async () => sink.refusals.length > 0);
    expect([reasonsOf(sink), sink.frames]).toEqual([['RETENTION'], []]);
  });

  const reasonsOf = ({ refusals }: RecordingSink) => refusals.map(({ extensions }) => extensions.reason);

  async function appendAccessChange(): Promise<void> {
    const change = { type: 'ACCESS_CHANGED', data: {}, occurred_at: new Date() };
    await db.pool.query('SELECT append_events($1)', [JSON.stringify([change])]);
  }

  /** As after a restore: the last event is gone, and the hub finds that out. */
  async function setLogBack(): Promise<void> {
    const { epoch, seq } = hub.head();
    await db.pool.query('WITH gone AS (DELETE FROM event WHERE seq = $1) UPDATE stream_head SET seq = $1 - 1', [seq]);
    await eventually(async () => hub.head().epoch !== epoch);
  }
});

type Asked = { viewer?: Viewer; after?: string | null | undefined };
type Opened = AsyncDisposable & {
  size: () => number;
  endAll: () => void;
  ask(sink: RecordingSink, asked?: Asked): Promise<Subscription>;
};

const documents = readTrustedDocuments(undefined, false);
const rates = createRates({ redisUrl: undefined, perMinute: 0, perAddressAndMinute: 0, webhooksPerSecond: 0 });

/** Streams over a schema with one field, which streams from this source. */
function open(
  source: LogSource<number> | SnapshotSource<number>,
  at: Hub = hub,
  lookAtAccess: () => Promise<void> = async () => {},
): Opened {
  const schema = new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: { none: { type: GraphQLString } } }),
    subscription: new GraphQLObjectType({
      name: 'Subscription',
      fields: {
        value: {
          type: new GraphQLNonNull(GraphQLInt),
          args: { after: { type: GraphQLString } },
          extensions: { stream: source },
          resolve: (root) => root as number,
        },
      },
    }),
  });
  const operations = createOperations({
    schema,
    compilableSchema: () => schema,
    complexity: 1_000,
    documents,
    rates,
    mayIntrospect: () => true,
    tracing: noTracing,
    log,
  });
  // The sources of this file use nothing else of a context.
  const createContext = (viewer: Viewer, requestId: string) =>
    ({ viewer, requestId, loaders: {} }) as unknown as Context;
  const streams = createStreams({
    hub: at,
    schema,
    operations,
    createContext,
    lookAtAccess,
    progressSeconds: 240,
    tracing: noTracing,
    log,
  });
  const text = 'subscription { value }';
  const document = parse(text);
  const node = getOperationAST(document);
  if (!node) throw new Error('the test asks what cannot be asked');
  const operation: Operation = { document, node, variables: {}, text };
  return {
    size: () => streams.size,
    endAll: () => streams.endAll(forbidden('everything ends')),
    ask: (sink, { viewer = reader, after = null } = {}) => streams.subscribe({ operation, viewer, after, sink }),
    [Symbol.asyncDispose]: () => streams[Symbol.asyncDispose](),
  };
}

async function append(data: Record<string, unknown> = {}): Promise<void> {
  await transaction(db, async (tx) => tx.append({ type: 'UNREAD_CHANGED', occurredAt: tx.now, data }));
}
