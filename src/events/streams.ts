import type { GraphQLSchema } from 'graphql';
import type { Viewer } from '../auth.ts';
import type { CreateContext } from '../context.ts';
import type { LoggedEvent } from '../db/event-log.ts';
import type { StreamHead } from '../db/stream-head.ts';
import type { Refusal } from '../errors.ts';
import { errorsOf, type Operation, type Operations } from '../execution/operation.ts';
import type { Log } from '../log.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { checkCursor, cursorExpired, decodeStreamCursor, type ExpiryReason, type StreamPosition } from './cursor.ts';
import type { Hub } from './hub.ts';
import { createLogStreams } from './log-streams.ts';
import type { Member, Sink } from './member.ts';
import { createRenderer } from './renderer.ts';
import type { SnapshotMember } from './snapshot-group.ts';
import { createSnapshotStreams } from './snapshot-streams.ts';
import type { LogSource, LogStream, SnapshotSource, SnapshotStream } from './stream-source.ts';
import { groupKey, subscribedField } from './subscribed-field.ts';
import { createSubscription, type Subscription } from './subscription.ts';

/** All subscriptions of this process: resuming, sharing, back-pressure. */
export type Streams = AsyncDisposable & {
  /** Opens a subscription; throws a Refusal where rights, arguments or cursor do not allow it. */
  subscribe(request: SubscribeRequest): Promise<Subscription>;
  /** Ends every subscription. */
  endAll(refusal: Refusal): void;
  readonly size: number;
};

export type SubscribeRequest = {
  operation: Operation;
  viewer: Viewer;
  /** Where to resume; it counts more than the argument `after`. */
  after: string | null;
  sink: Sink;
};

type Args = Record<string, unknown>;

export function createStreams(options: {
  hub: Hub;
  schema: GraphQLSchema;
  operations: Operations;
  createContext: CreateContext;
  /** Looks at everyone's present rights; what was looked at before does not count. */
  lookAtAccess: () => Promise<void>;
  progressSeconds: number;
  tracing: Tracing;
  log: Log;
}): Streams {
  const { hub, schema, operations, createContext, tracing, log } = options;
  const rendererOf = createRenderer({ schema, operations });
  const failed = (error: unknown) =>
    Buffer.from(JSON.stringify({ data: null, errors: operations.mask(errorsOf(error), 'event') }));
  const logs = createLogStreams({ hub, createContext, failed, lookAtAccess: lookAfter, tracing, log });
  /** Rights were looked at after everything up to here was committed. */
  let lookedUpTo = hub.head().seq;
  /** What ended every subscription last. */
  let ending: Refusal | null = null;
  const snapshots = createSnapshotStreams({ createContext });
  const unfollow = hub.follow({
    events(events) {
      logs.push(events);
      snapshots.push(events);
    },
    reset(head) {
      // Sequences may come again.
      lookedUpTo = head.floorSeq;
      for (const member of logs.members()) logs.end(member, cursorExpired(reasonOf(member, head), head));
      snapshots.touchAll();
    },
  });
  const progressTimer = setInterval(() => logs.pushProgress(), options.progressSeconds * 1000);

  return {
    get size() {
      return [...logs.members(), ...snapshots.members()].length;
    },
    subscribe(request) {
      const { source, args } = subscribedField(schema, request.operation);
      return source.kind === 'log' ? followLog(source, args, request) : followSnapshot(source, args, request);
    },
    endAll(refusal) {
      ending = refusal;
      for (const member of logs.members()) logs.end(member, refusal);
      for (const member of snapshots.members()) snapshots.end(member, refusal);
    },
    async [Symbol.asyncDispose]() {
      clearInterval(progressTimer);
      unfollow();
    },
  };

  async function lookAfter({ seq }: LoggedEvent): Promise<void> {
    if (seq <= lookedUpTo) return;
    const { seq: committed } = hub.head();
    await options.lookAtAccess();
    lookedUpTo = Math.max(lookedUpTo, seq, committed);
  }

  /** What was opened; throws where everything was ended meanwhile: who has not joined is not told of that. */
  async function unlessEnded<T>(opened: T | Promise<T>): Promise<T> {
    const before = ending;
    const value = await opened;
    if (ending && ending !== before) throw ending;
    return value;
  }

  async function followLog(source: LogSource, args: Args, request: SubscribeRequest): Promise<Subscription> {
    const { operation, viewer, sink } = request;
    const render = rendererOf(operation);
    const open = (present: Viewer) => source.open(args, createContext(present, 'subscribe'));
    const join = (joining: Member, stream: LogStream, present: Viewer) =>
      logs.join(joining, { key: groupKey(operation, present, stream.key), stream, render, viewer: present });
    const after = request.after ?? (typeof args.after === 'string' ? args.after : null);
    const begin = async () => {
      const stream = await open(viewer);
      return { stream, start: await startOf(after, stream.byTime !== undefined) };
    };
    const { stream, start } = await unlessEnded(begin());
    const member: Member = { sink, ...start, knows: viewer, state: 'catching-up' };
    join(member, stream, viewer);
    return createSubscription<Member>({
      member,
      leave: logs.leave,
      anew: (left) => ({ ...left, state: 'catching-up' }),
      async join(moved, present) {
        const reopened = await unlessEnded(open(present));
        if (moved.state !== 'ended') join(moved, reopened, present);
      },
    });
  }

  async function followSnapshot(source: SnapshotSource, args: Args, request: SubscribeRequest): Promise<Subscription> {
    const { operation, viewer, sink } = request;
    const render = rendererOf(operation);
    const open = (present: Viewer) => unlessEnded(source.open(args, createContext(present, 'subscribe')));
    const join = (joining: SnapshotMember, stream: SnapshotStream, present: Viewer) =>
      snapshots.join(joining, { key: groupKey(operation, present, stream.key), stream, render, viewer: present });
    const member: SnapshotMember = { sink, shown: null, state: 'open' };
    join(member, await open(viewer), viewer);
    return createSubscription<SnapshotMember>({
      member,
      leave: snapshots.leave,
      anew: (left) => ({ ...left, state: 'open' }),
      async join(moved, present) {
        const reopened = await open(present);
        if (moved.state !== 'ended') join(moved, reopened, present);
      },
    });
  }

  /** From now on, or from a cursor whose continuity can be proved. */
  async function startOf(after: string | null, isTimed: boolean): Promise<StreamPosition & { timedUpTo: Date }> {
    const now = new Date();
    const { epoch, seq: newest } = hub.head();
    if (after === null) return { epoch, seq: newest, timedUpTo: now };
    const position = decodeStreamCursor(after);
    const seq = checkCursor(position, await hub.headFor(position.seq));
    const recordedAt = isTimed ? await hub.store.timeOf(seq) : null;
    return { ...position, timedUpTo: recordedAt ?? now };
  }
}

/** Why its position proves nothing: another log, or one that this process has not read for too long. */
function reasonOf({ epoch }: Member, head: StreamHead): ExpiryReason {
  return epoch === head.epoch ? 'RETENTION' : 'EPOCH_CHANGED';
}
