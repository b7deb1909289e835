import type pg from 'pg';
import type { LoggedEvent } from '../db/event-log.ts';
import { beginEpoch, readStreamHead, type StreamHead } from '../db/stream-head.ts';
import type { Log } from '../log.ts';
import { createEventStore, PAGE_EVENTS, type EventStore } from './event-store.ts';
import { RecentEvents } from './recent-events.ts';
import type { LiveTransport } from './live-transport.ts';

/** Follows the log for this process: contiguous, in order, each event once. */
export type Hub = AsyncDisposable & {
  readonly store: EventStore;
  /** The last event handed out, and how far back the log reaches. */
  head(): StreamHead;
  /** Fresh enough to judge a cursor of this sequence: what is older than the memory of this process is looked up. */
  headFor(seq: number): Promise<StreamHead>;
  /** Events that this process has just committed. */
  publish(events: LoggedEvent[]): void;
  follow(follower: Follower): () => void;
};

export type Follower = {
  /** Contiguous events in order; must not throw and must not wait. */
  events(events: LoggedEvent[]): void;
  /** Continuity ended: earlier cursors prove nothing any more. */
  reset(head: StreamHead): void;
};

const CHECK_MS = 1_000;
const CHECK_WITHOUT_TRANSPORT_MS = 250;
/** Commits of this process may be announced out of order by this much. */
const HOLE_MS = 10;
const MAX_EARLY = 10_000;

export async function createHub(options: { pool: pg.Pool; transport: LiveTransport; log: Log }): Promise<Hub> {
  const { pool, transport, log } = options;
  const stored = createEventStore(pool);
  const recent = new RecentEvents();
  const followers = new Set<Follower>();
  const early = new Map<number, LoggedEvent>();
  let head = await readStreamHead(pool);
  let filling: Promise<void> | null = null;
  let holeTimer: NodeJS.Timeout | null = null;
  let checkTimer: NodeJS.Timeout | null = null;
  let isAway = false;
  let isStopped = false;

  transport.start(accept);
  scheduleCheck();

  return {
    store: {
      read: async (after, limit) => recent.after(after, limit) ?? stored.read(after, limit),
      timeOf: (seq) => stored.timeOf(seq),
    },
    head: () => head,
    headFor: async (seq) => (seq === head.seq || (seq < head.seq && recent.covers(seq)) ? head : readStreamHead(pool)),
    publish(events) {
      transport.publish(events);
      accept(events);
    },
    follow(follower) {
      followers.add(follower);
      return () => void followers.delete(follower);
    },
    async [Symbol.asyncDispose]() {
      isStopped = true;
      if (checkTimer) clearTimeout(checkTimer);
      if (holeTimer) clearTimeout(holeTimer);
      await transport[Symbol.asyncDispose]();
      await filling;
    },
  };

  function accept(events: LoggedEvent[]): void {
    for (const event of events) {
      if (event.epoch === head.epoch && event.seq > head.seq && early.size < MAX_EARLY) early.set(event.seq, event);
    }
    deliverEarly();
    if (early.size > 0 && !holeTimer) holeTimer = setTimeout(fillHole, HOLE_MS);
  }

  function deliverEarly(): void {
    const ready: LoggedEvent[] = [];
    for (let next = early.get(head.seq + 1); next; next = early.get(next.seq + 1)) {
      early.delete(next.seq);
      ready.push(next);
      head = { ...head, seq: next.seq };
    }
    if (ready.length === 0) return;
    recent.add(ready);
    for (const follower of followers) follower.events(ready);
  }

  function fillHole(): void {
    holeTimer = null;
    for (const seq of early.keys()) if (seq <= head.seq) early.delete(seq);
    if (early.size > 0) void fill();
  }

  /** Single flight: whoever asks meanwhile waits for the same reading. */
  function fill(): Promise<void> {
    filling ??= readOn().finally(() => (filling = null));
    return filling;
  }

  async function readOn(): Promise<void> {
    try {
      for (;;) {
        const page = await stored.read(head.seq, PAGE_EVENTS);
        const first = page[0];
        // Events of another epoch do not continue ours, whatever their sequence; the check finds out what happened.
        if (page.some(({ epoch }) => epoch !== head.epoch) || (first && first.seq > head.seq + 1)) return;
        for (const event of page) if (event.seq > head.seq) early.set(event.seq, event);
        deliverEarly();
        if (page.length < PAGE_EVENTS || isStopped) return;
      }
    } catch (error) {
      noteAway(error);
    }
  }

  function scheduleCheck(): void {
    if (isStopped) return;
    const afterMs = transport.isHealthy() ? CHECK_MS : CHECK_WITHOUT_TRANSPORT_MS;
    checkTimer = setTimeout(() => void check().finally(scheduleCheck), afterMs);
  }

  /** Heals a lost tail, and is the way of delivery while there is no transport. */
  async function check(): Promise<void> {
    // What this process commits while the statement runs is not in its answer.
    const { epoch, seq } = head;
    try {
      const present = await readStreamHead(pool);
      if (isAway) log.info({ seq: present.seq }, 'the event log can be read again');
      isAway = false;
      if (present.epoch !== head.epoch) return reset(present);
      if (epoch === head.epoch && present.seq < seq) return await resetLostHead(present);
      // Nobody has read so far: what was not kept cannot be handed out.
      if (present.floorSeq > head.seq) return reset(present);
      head = { ...head, floorSeq: present.floorSeq };
      if (present.seq > head.seq) await fill();
    } catch (error) {
      noteAway(error);
    }
  }

  /** Commits that were handed out are gone: the database was set back. */
  async function resetLostHead(present: StreamHead): Promise<void> {
    log.error({ was: head.seq, is: present.seq }, 'the event log went back; a new epoch begins');
    await beginEpoch(pool, present.epoch);
    reset(await readStreamHead(pool));
  }

  function reset(present: StreamHead): void {
    head = present;
    early.clear();
    recent.clear();
    for (const follower of followers) follower.reset(present);
  }

  function noteAway(error: unknown): void {
    if (!isAway) log.warn({ err: error }, 'the event log cannot be read; subscribers wait');
    isAway = true;
  }
}
