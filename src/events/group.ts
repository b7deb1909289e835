import type { Viewer } from '../auth.ts';
import type { LoggedEvent } from '../db/event-log.ts';
import type { Refusal } from '../errors.ts';
import type { StreamFilter } from './stream-source.ts';

/** One subscription of one client, wherever its frames go. */
export type Member = {
  /** The last sequence that was delivered or not wanted. */
  seq: number;
  state: 'catching-up' | 'live' | 'ended';
  /** Writes one payload; the cursor is the one to resume from. */
  send(payload: Buffer, cursor: string): void;
  /** True while what was written has not been taken: no more is pushed. */
  isClogged(): boolean;
  /** Settles when it may be written to again; false where it never will be. */
  drained(): Promise<boolean>;
  /** Ends the subscription with an error. */
  end(refusal: Refusal): void;
};

/** The serialised answer to one event; null where there is nothing to send. */
export type Render = (event: LoggedEvent | Progress) => Promise<Buffer | null>;

/** Tells a quiet client how far the stream has come. */
export type Progress = { type: 'STREAM_PROGRESS'; seq: number; epoch: string; occurredAt: string; recordedAt: string };

const MAX_QUEUED = 256;
const MAX_RENDERED = 128;

/**
 * All members who ask the same question with the same rights: each event is executed and serialised once for all of
 * them, for those who follow live and for those who catch up.
 */
export class Group {
  readonly members = new Set<Member>();
  readonly filter: StreamFilter;
  private readonly viewer: Viewer;
  private readonly render: Render;
  private readonly cursorOf: (event: { epoch: string; seq: number }) => string;
  private readonly onOverflow: (members: Member[]) => void;
  private queue: LoggedEvent[] = [];
  private isPumping = false;
  private readonly rendered = new Map<number, Promise<Buffer | null>>();
  /** The last event that live members have been through. */
  seq: number;

  constructor(options: {
    seq: number;
    filter: StreamFilter;
    viewer: Viewer;
    render: Render;
    cursorOf: (event: { epoch: string; seq: number }) => string;
    onOverflow: (members: Member[]) => void;
  }) {
    this.seq = options.seq;
    this.filter = options.filter;
    this.viewer = options.viewer;
    this.render = options.render;
    this.cursorOf = options.cursorOf;
    this.onOverflow = options.onOverflow;
  }

  /** Live events, contiguous and in order. */
  push(events: LoggedEvent[]): void {
    for (const event of events) this.queue.push(event);
    if (this.queue.length > MAX_QUEUED) return this.overflow();
    if (!this.isPumping) void this.pump();
  }

  /** True where the member has now joined the live ones; false where it must read on. */
  joinLive(member: Member): boolean {
    if (member.seq < this.seq) return false;
    member.state = 'live';
    return true;
  }

  /** Delivers one event to one member that is catching up. */
  async deliverTo(member: Member, event: LoggedEvent): Promise<void> {
    const payload = this.filter.wants(event, this.viewer) ? await this.payloadOf(event) : null;
    if (member.state !== 'catching-up') return;
    member.seq = event.seq;
    if (payload) member.send(payload, this.cursorOf(event));
  }

  async sendProgress(members: Iterable<Member>, progress: Progress): Promise<void> {
    const payload = await this.render(progress);
    if (!payload) return;
    for (const member of members) if (member.state !== 'ended') member.send(payload, this.cursorOf(progress));
  }

  private async pump(): Promise<void> {
    this.isPumping = true;
    for (let event = this.queue.shift(); event; event = this.queue.shift()) {
      if (event.seq <= this.seq) continue;
      const payload = this.filter.wants(event, this.viewer) ? await this.payloadOf(event) : null;
      // An overflow meanwhile has sent everyone to the log.
      if (event.seq > this.seq) this.deliver(event, payload);
    }
    this.isPumping = false;
  }

  private deliver(event: LoggedEvent, payload: Buffer | null): void {
    this.seq = event.seq;
    const cursor = payload ? this.cursorOf(event) : '';
    const clogged: Member[] = [];
    for (const member of this.members) {
      if (member.state !== 'live' || member.seq >= event.seq) continue;
      if (payload && member.isClogged()) {
        clogged.push(member);
        continue;
      }
      member.seq = event.seq;
      if (payload) member.send(payload, cursor);
    }
    if (clogged.length > 0) this.onOverflow(clogged);
  }

  /** Too much waits to be executed: everyone reads the log at their own pace instead. */
  private overflow(): void {
    const last = this.queue.at(-1);
    this.queue = [];
    if (last) this.seq = last.seq;
    this.onOverflow([...this.members].filter((member) => member.state === 'live'));
  }

  private payloadOf(event: LoggedEvent): Promise<Buffer | null> {
    const known = this.rendered.get(event.seq);
    if (known) return known;
    const payload = this.render(event);
    if (this.members.size > 1) this.rendered.set(event.seq, payload);
    if (this.rendered.size > MAX_RENDERED) {
      for (const oldest of this.rendered.keys()) {
        this.rendered.delete(oldest);
        break;
      }
    }
    return payload;
  }
}
