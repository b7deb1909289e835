import type { Viewer } from '../auth.ts';
import type { Context, CreateContext } from '../context.ts';
import type { LoggedEvent } from '../db/event-log.ts';
import { Refusal } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { cursorExpired } from './cursor.ts';
import { follows, PAGE_EVENTS } from './event-store.ts';
import { createFraming, type ContextOf } from './framing.ts';
import { Group } from './group.ts';
import { Groups } from './groups.ts';
import type { Hub } from './hub.ts';
import { endMember, refusalOf, type Member } from './member.ts';
import type { Render } from './renderer.ts';
import { createSemaphore } from '../db/semaphore.ts';
import type { LogStream } from './stream-source.ts';

/** Subscriptions to the log: those who follow live, and those who catch up. */
export type LogStreams = {
  /** The member reads on from its own position until it has joined the live ones. */
  join(member: Member, place: { key: string; stream: LogStream; render: Render; viewer: Viewer }): void;
  leave: (member: Member) => void;
  end: (member: Member, refusal: Refusal) => void;
  /** Live events, contiguous and in order. */
  push(events: readonly LoggedEvent[]): void;
  pushProgress(): void;
  members(): Iterable<Member>;
};

const MAX_READERS = 16;
const MAX_AT_ONCE = 64;
const RETRY_MS = 250;

export function createLogStreams(options: {
  hub: Hub;
  createContext: CreateContext;
  failed: (error: unknown) => Buffer;
  lookAtAccess: (after: LoggedEvent) => Promise<void>;
  tracing: Tracing;
  log: Log;
}): LogStreams {
  const { hub, createContext, failed, lookAtAccess, log } = options;
  const groups = new Groups<Member, Group>();
  const readers = createSemaphore(MAX_READERS);

  return {
    join(member, { key, stream, render, viewer }) {
      // Who has not joined is not told when the stream begins anew.
      if (member.epoch !== hub.head().epoch) throw cursorExpired('EPOCH_CHANGED', hub.head());
      const group = groups.join(member, key, () => openGroup(stream, render, viewer));
      void begin(member, group, member.knows !== viewer);
    },
    leave: (member) => groups.leave(member),
    end,
    push(events) {
      const contextOf = contexts();
      for (const group of groups.all()) group.push(events, contextOf(group.viewer));
    },
    pushProgress() {
      for (const group of groups.all()) if (group.stream.hasProgress) group.pushProgress();
    },
    members: () => groups.members(),
  };

  function openGroup(stream: LogStream, render: Render, viewer: Viewer): Group {
    const group: Group = new Group({
      at: hub.head(),
      stream,
      viewer,
      framing: createFraming({ stream, render, viewer, createContext, failed, lookAtAccess }),
      tracing: options.tracing,
      onRefusal: (refusal) => {
        for (const member of group.members) end(member, refusal);
      },
      sendToLog: (members) => {
        for (const member of members) {
          member.state = 'catching-up';
          void catchUp(member, group);
        }
      },
    });
    return group;
  }

  /** Events that come together are loaded together, for all groups: each noun once, whoever asks. */
  function contexts(): (viewer: Viewer) => ContextOf {
    let shared: Context['loaders'] | undefined;
    return (viewer) => {
      let context: Context | null = null;
      return () => {
        context ??= createContext(viewer, 'event', shared);
        shared ??= context.loaders;
        return context;
      };
    };
  }

  /** Its place is given up at once: the transport closes it once the client has taken its last words. */
  function end(member: Member, refusal: Refusal): void {
    endMember(member, refusal);
    groups.leave(member);
  }

  async function begin(member: Member, group: Group, isReopened: boolean): Promise<void> {
    await orEnd(member, async () => {
      if (isReopened) await group.deliverReopeningTo(member);
      else if (group.stream.hasProgress) await group.deliverProgressTo(member);
    });
    await catchUp(member, group);
  }

  /** Reads the log from the member's own position until it stands where the live ones stand. */
  function catchUp(member: Member, group: Group): Promise<void> {
    return orEnd(member, async () => {
      while (member.state === 'catching-up' && !group.joinLive(member)) {
        if (member.sink.isClogged() && !(await member.sink.drained())) return;
        await readOn(member, group);
      }
    });
  }

  async function orEnd(member: Member, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Refusal)) log.error({ err: error }, 'a subscription failed');
      end(member, refusalOf(error));
    }
  }

  async function readOn(member: Member, group: Group): Promise<void> {
    const page = await readers(() => readPage(member));
    if (page.length === 0) return group.deliverTimeTo(member);
    let isQuiet = true;
    for (let from = 0; from < page.length && member.state === 'catching-up'; from += MAX_AT_ONCE) {
      if (member.sink.isClogged()) return;
      const sent = await group.deliverTo(member, page.slice(from, from + MAX_AT_ONCE), contexts()(group.viewer));
      isQuiet &&= !sent;
    }
    // Far behind and nothing to show: the saved cursor moves all the same.
    if (isQuiet && page.length === PAGE_EVENTS && group.stream.hasProgress) await group.deliverProgressTo(member);
  }

  /** Empty where the member has read everything that the hub has seen. */
  async function readPage(member: Member): Promise<LoggedEvent[]> {
    if (member.state !== 'catching-up' || member.seq >= hub.head().seq) return [];
    try {
      const { epoch } = hub.head();
      const page = (await hub.store.read(member.seq, PAGE_EVENTS)).filter((event) => event.epoch === epoch);
      const first = page[0];
      if (first && !follows(page, member.seq)) throw cursorExpired('RETENTION', hub.head());
      // The hub has seen more than this connection shows yet, or a new epoch has begun: a moment at most.
      if (!first) await new Promise((resolve) => setTimeout(resolve, 20));
      return page;
    } catch (error) {
      if (error instanceof Refusal) throw error;
      log.debug({ err: error }, 'the log could not be read; the subscriber waits');
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      return readPage(member);
    }
  }
}
