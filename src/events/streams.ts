import type { GraphQLSchema } from 'graphql';
import type { Viewer } from '../auth.ts';
import type { Context } from '../context.ts';
import type { LoggedEvent } from '../db/event-log.ts';
import type { Refusal } from '../errors.ts';
import { errorsOf, type Operation, type Operations } from '../execution/operation.ts';
import type { Log } from '../log.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { checkCursor, cursorExpired, decodeStreamCursor } from './cursor.ts';
import type { Hub } from './hub.ts';
import { createLogStreams } from './log-streams.ts';
import { endMember, refusalOf, type Member, type Sink } from './member.ts';
import { createRenderer } from './renderer.ts';
import type { SnapshotMember } from './snapshot-group.ts';
import { createSnapshotStreams, endSnapshot } from './snapshot-streams.ts';
import type { LogSource, SnapshotSource } from './stream-source.ts';
import { groupKey, subscribedField } from './subscribed-field.ts';

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

export type Subscription = {
  close(): void;
  /** The viewer's rights changed: go on with the present ones, or end with the refusal. */
  reopen(viewer: Viewer): Promise<void>;
};

type Args = Record<string, unknown>;

export function createStreams(options: {
  hub: Hub;
  schema: GraphQLSchema;
  operations: Operations;
  createContext: (viewer: Viewer, requestId: string) => Context;
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
  const snapshots = createSnapshotStreams({ createContext });
  const unfollow = hub.follow({
    events(events) {
      logs.push(events);
      snapshots.push(events);
    },
    reset(head) {
      for (const member of logs.members()) endMember(member, cursorExpired('EPOCH_CHANGED', head));
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
      for (const member of logs.members()) endMember(member, refusal);
      for (const member of snapshots.members()) endSnapshot(member, refusal);
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

  async function followLog(source: LogSource, args: Args, request: SubscribeRequest): Promise<Subscription> {
    const { operation, viewer, sink } = request;
    const render = rendererOf(operation);
    const stream = await source.open(args, createContext(viewer, 'subscribe'));
    const start = await startOf(request.after ?? (typeof args.after === 'string' ? args.after : null));
    let member: Member = { sink, ...start, state: 'catching-up' };
    let before = viewer;
    logs.join(member, { key: groupKey(operation, viewer, stream.key), stream, render, viewer });
    return {
      close() {
        member.state = 'ended';
        logs.leave(member);
      },
      async reopen(present) {
        if (member.state === 'ended') return;
        logs.leave(member);
        const moved: Member = { ...member, state: 'catching-up' };
        member.state = 'ended';
        member = moved;
        try {
          const reopened = await source.open(args, createContext(present, 'subscribe'));
          if (moved.state === 'ended') return;
          logs.join(moved, {
            key: groupKey(operation, present, reopened.key),
            stream: reopened,
            render,
            viewer: present,
            before,
          });
          before = present;
        } catch (error) {
          endMember(moved, refusalOf(error));
        }
      },
    };
  }

  async function followSnapshot(source: SnapshotSource, args: Args, request: SubscribeRequest): Promise<Subscription> {
    const { operation, viewer, sink } = request;
    const render = rendererOf(operation);
    const stream = await source.open(args, createContext(viewer, 'subscribe'));
    let member: SnapshotMember = { sink, shown: null, state: 'open' };
    snapshots.join(member, { key: groupKey(operation, viewer, stream.key), stream, render, viewer });
    return {
      close() {
        member.state = 'ended';
        snapshots.leave(member);
      },
      async reopen(present) {
        if (member.state === 'ended') return;
        snapshots.leave(member);
        const moved: SnapshotMember = { ...member, state: 'open' };
        member.state = 'ended';
        member = moved;
        try {
          const reopened = await source.open(args, createContext(present, 'subscribe'));
          if (moved.state === 'ended') return;
          const key = groupKey(operation, present, reopened.key);
          snapshots.join(moved, { key, stream: reopened, render, viewer: present });
        } catch (error) {
          endSnapshot(moved, refusalOf(error));
        }
      },
    };
  }

  /** From now on, or from a cursor whose continuity can be proved. */
  async function startOf(after: string | null): Promise<{ seq: number; timedUpTo: Date }> {
    if (after === null) return { seq: hub.head().seq, timedUpTo: new Date() };
    const position = decodeStreamCursor(after);
    const seq = checkCursor(position, await hub.headFor(position.seq));
    return { seq, timedUpTo: (await hub.store.timeOf(seq)) ?? new Date() };
  }
}
