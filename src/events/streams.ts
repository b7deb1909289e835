import { execute, getArgumentValues, getVariableValues, type GraphQLSchema } from 'graphql';
import type { Viewer } from '../auth.ts';
import type { Context } from '../context.ts';
import { badInput, Refusal } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Operation, Operations } from '../execution/operation.ts';
import { checkCursor, cursorExpired, decodeStreamCursor, encodeStreamCursor } from './cursor.ts';
import { PAGE_EVENTS } from './event-store.ts';
import { Group, type Member, type Progress, type Render } from './group.ts';
import type { Hub } from './hub.ts';
import { createSemaphore } from './semaphore.ts';
import type { StreamFilter, StreamSource } from './stream-source.ts';
import { viewerKey } from './viewer-key.ts';

/** Subscriptions to the log: resuming, sharing, back-pressure. */
export type Streams = AsyncDisposable & {
  /** The source of a subscription's field, or null where the field brings its own iterable. */
  sourceOf(operation: Operation): StreamSource | null;
  /** Opens a subscription; throws a Refusal where rights, arguments or cursor do not allow it. */
  subscribe(request: {
    operation: Operation;
    viewer: Viewer;
    after: string | null;
    member: Omit<Member, 'seq' | 'state'>;
  }): Promise<Subscription>;
  readonly size: number;
};

export type Subscription = {
  close(): void;
  /** The viewer's rights changed: go on with the present ones, or end with the refusal. */
  reopen(viewer: Viewer): Promise<void>;
};

const MAX_READERS = 16;
const PROGRESS_MS = 4 * 60_000;

export function createStreams(options: {
  hub: Hub;
  schema: GraphQLSchema;
  operations: Operations;
  createContext: (viewer: Viewer, requestId: string) => Context;
  log: Log;
}): Streams {
  const { hub, schema, operations, createContext, log } = options;
  const groups = new Map<string, Group>();
  const readers = createSemaphore(MAX_READERS);
  const unfollow = hub.follow({
    events: (events) => {
      for (const group of groups.values()) group.push(events);
    },
    reset: (head) => endAll(cursorExpired('EPOCH_CHANGED', head)),
  });
  const progressTimer = setInterval(sendProgress, PROGRESS_MS);

  return {
    get size() {
      return [...groups.values()].reduce((sum, group) => sum + group.members.size, 0);
    },
    sourceOf: (operation) => fieldOf(schema, operation).source,
    async subscribe({ operation, viewer, after, member: sink }) {
      const { source, args } = fieldOf(schema, operation);
      if (!source) throw badInput('This field is not a stream.');
      const start = await startOf(after ?? (typeof args.after === 'string' ? args.after : null));
      const member: Member = { ...sink, seq: start, state: 'catching-up' };
      let group = await join(operation, source, args, viewer, member);
      if (group.filter.progress) void group.sendProgress([member], progressAt(member.seq));
      return {
        close() {
          member.state = 'ended';
          leave(group, member);
        },
        async reopen(present) {
          if (member.state === 'ended') return;
          leave(group, member);
          member.state = 'catching-up';
          try {
            group = await join(operation, source, args, present, member);
          } catch (error) {
            endMember(
              member,
              error instanceof Refusal ? error : new Refusal('FORBIDDEN', 'You may not follow this any more.'),
            );
          }
        },
      };
    },
    async [Symbol.asyncDispose]() {
      clearInterval(progressTimer);
      unfollow();
    },
  };

  async function startOf(after: string | null): Promise<number> {
    if (after === null) return hub.head().seq;
    const position = decodeStreamCursor(after);
    const head = hub.head();
    // This process may be a moment behind the one that gave out the cursor.
    const isKnown = position.epoch === head.epoch && position.seq <= head.seq;
    return checkCursor(position, isKnown ? head : await hub.readHead());
  }

  async function join(
    operation: Operation,
    source: StreamSource,
    args: Record<string, unknown>,
    viewer: Viewer,
    member: Member,
  ): Promise<Group> {
    const filter = await source.open(args, createContext(viewer, 'subscribe'));
    const key = groupKey(operation, viewer);
    let group = groups.get(key);
    if (!group) groups.set(key, (group = newGroup(operation, viewer, filter)));
    group.members.add(member);
    void catchUp(group, member);
    return group;
  }

  function newGroup(operation: Operation, viewer: Viewer, filter: StreamFilter): Group {
    const group: Group = new Group({
      seq: hub.head().seq,
      filter,
      viewer,
      render: renderer(operation, viewer, filter),
      cursorOf: encodeStreamCursor,
      onOverflow: (members) => {
        for (const member of members) {
          member.state = 'catching-up';
          void catchUp(group, member);
        }
      },
    });
    return group;
  }

  function leave(group: Group, member: Member): void {
    group.members.delete(member);
    if (group.members.size > 0) return;
    for (const [key, candidate] of groups) if (candidate === group) groups.delete(key);
  }

  /** Reads the log from the member's own position until it stands where the live ones stand. */
  async function catchUp(group: Group, member: Member): Promise<void> {
    while (member.state === 'catching-up' && group.members.has(member) && !group.joinLive(member)) {
      if (member.isClogged() && !(await member.drained())) return;
      try {
        await readers(() => readPage(group, member));
      } catch (error) {
        if (error instanceof Refusal) return endMember(member, error);
        log.debug({ err: error }, 'the log could not be read; the subscriber waits');
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  }

  async function readPage(group: Group, member: Member): Promise<void> {
    const page = await hub.store.read(member.seq, PAGE_EVENTS);
    const first = page[0];
    // What the group has been through is committed, so this is a moment at most.
    if (!first) await new Promise((resolve) => setTimeout(resolve, 20));
    if (first && first.seq !== member.seq + 1) throw cursorExpired('RETENTION', hub.head());
    for (const event of page) {
      if (member.state !== 'catching-up' || member.isClogged()) return;
      await group.deliverTo(member, event);
    }
  }

  function renderer(operation: Operation, viewer: Viewer, filter: StreamFilter): Render {
    return async (event) => {
      const context = createContext(viewer, 'event');
      const isProgress = event.type === 'STREAM_PROGRESS';
      const root = isProgress || !filter.rootOf ? event : await filter.rootOf(event, context);
      if (root === null || root === undefined) return null;
      const { document, node, variables } = operation;
      const result = await execute({
        schema,
        document,
        operationName: node.name?.value,
        variableValues: variables,
        contextValue: context,
        rootValue: root,
      });
      const errors = result.errors ? { errors: operations.mask(result.errors, context.requestId) } : {};
      return Buffer.from(JSON.stringify({ data: result.data, ...errors }));
    };
  }

  function progressAt(seq: number): Progress {
    const now = new Date().toISOString();
    return { type: 'STREAM_PROGRESS', seq, epoch: hub.head().epoch, occurredAt: now, recordedAt: now };
  }

  function sendProgress(): void {
    for (const group of groups.values()) {
      if (!group.filter.progress) continue;
      const live = [...group.members].filter((member) => member.state === 'live');
      if (live.length > 0) void group.sendProgress(live, progressAt(group.seq));
    }
  }

  function endAll(refusal: Refusal): void {
    for (const group of groups.values()) for (const member of group.members) endMember(member, refusal);
    groups.clear();
  }
}

function endMember(member: Member, refusal: Refusal): void {
  if (member.state === 'ended') return;
  member.state = 'ended';
  member.end(refusal);
}

function groupKey({ document, text, node, variables }: Operation, viewer: Viewer): string {
  return JSON.stringify([text, node.name?.value ?? null, withoutCursor(node, variables), viewerKey(document, viewer)]);
}

/** Where a client resumes does not change what it asks. */
function withoutCursor(node: Operation['node'], variables: Record<string, unknown>): Record<string, unknown> {
  const field = node.selectionSet.selections[0];
  const after =
    field?.kind === 'Field' ? field.arguments?.find((argument) => argument.name.value === 'after')?.value : undefined;
  if (after?.kind !== 'Variable') return variables;
  const { [after.name.value]: _, ...rest } = variables;
  return rest;
}

type StreamedField = { source: StreamSource | null; args: Record<string, unknown> };

function fieldOf(schema: GraphQLSchema, { node, variables }: Operation): StreamedField {
  const selection = node.selectionSet.selections[0];
  if (node.selectionSet.selections.length !== 1 || selection?.kind !== 'Field') {
    throw badInput('A subscription selects exactly one field, and not through a fragment.');
  }
  const field = schema.getSubscriptionType()?.getFields()[selection.name.value];
  if (!field) throw badInput(`There is no subscription ${selection.name.value}.`);
  const coerced = getVariableValues(schema, node.variableDefinitions ?? [], variables);
  if (coerced.errors) throw coerced.errors[0] ?? badInput('The variables do not fit.');
  const args = getArgumentValues(field, selection, coerced.coerced);
  // The schema puts only stream sources under this name.
  return { source: (field.extensions.stream as StreamSource | undefined) ?? null, args };
}
