import type { Viewer } from '../auth.ts';
import type { LoggedEvent } from '../db/event-log.ts';
import type { Refusal } from '../errors.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { setAlarm } from './alarm.ts';
import type { StreamPosition } from './cursor.ts';
import { FrameCache } from './frame-cache.ts';
import type { ContextOf, Framing } from './framing.ts';
import { refusalOf, send, type Frame, type Member } from './member.ts';
import type { LogStream } from './stream-source.ts';

/** What live members go through, in this order. */
type Step =
  | { kind: 'event'; event: LoggedEvent; context: ContextOf }
  | { kind: 'progress' }
  | { kind: 'time'; to: Date };
type EventStep = Extract<Step, { kind: 'event' }>;

const MAX_QUEUED = 1_024;
const MAX_AT_ONCE = 64;

/**
 * All members who ask the same question with the same rights: each event is executed and serialised once for all of
 * them, for those who follow live and for those who catch up.
 */
export class Group {
  readonly members = new Set<Member>();
  readonly stream: LogStream;
  /** One of those who ask; the others have the same rights. */
  readonly viewer: Viewer;
  private readonly framing: Framing;
  private readonly tracing: Tracing;
  private readonly onRefusal: (refusal: Refusal) => void;
  private readonly sendToLog: (members: Member[]) => void;
  private readonly frames = new FrameCache();
  private readonly epoch: string;
  /** The last event that live members have been through, and up to when they know what time alone changed. */
  private seq: number;
  private timedUpTo = new Date();
  private queue: Step[] = [];
  private isPumping = false;
  private silence = () => {};

  constructor(options: {
    at: StreamPosition;
    stream: LogStream;
    viewer: Viewer;
    framing: Framing;
    tracing: Tracing;
    onRefusal: (refusal: Refusal) => void;
    /** Takes members who cannot be served live now; they come back by `joinLive`. */
    sendToLog: (members: Member[]) => void;
  }) {
    this.epoch = options.at.epoch;
    this.seq = options.at.seq;
    this.stream = options.stream;
    this.viewer = options.viewer;
    this.framing = options.framing;
    this.tracing = options.tracing;
    this.onRefusal = options.onRefusal;
    this.sendToLog = options.sendToLog;
    this.setAlarm(this.timedUpTo);
  }

  /** Live events, contiguous and in order. */
  push(events: readonly LoggedEvent[], context: ContextOf): void {
    if (this.queue.length + events.length > MAX_QUEUED) return this.overflow(events);
    for (const event of events) this.enqueue({ kind: 'event', event, context });
  }

  pushProgress(): void {
    this.enqueue({ kind: 'progress' });
  }

  /** True where the member has now joined the live ones; false where it must read on. */
  joinLive(member: Member): boolean {
    if (member.seq < this.seq || this.owesTimeTo(member)) return false;
    member.state = 'live';
    return true;
  }

  /** Delivers events, in order, to one member that is catching up; true where there was something to send. */
  async deliverTo(member: Member, events: readonly LoggedEvent[], context: ContextOf): Promise<boolean> {
    for (const event of events) if (isAccessChange(event)) await this.framing.ofAccess(event);
    if (member.state !== 'catching-up') return false;
    const frames = (await Promise.all(events.map((event) => this.frameOf(event, context, false)))).filter(isFrame);
    if (member.state !== 'catching-up') return false;
    member.seq = events.at(-1)?.seq ?? member.seq;
    return send(member, frames);
  }

  /** What time alone changed while the member was away. */
  async deliverTimeTo(member: Member): Promise<void> {
    if (!this.owesTimeTo(member)) return;
    const to = this.timedUpTo;
    const frames = await this.framing.ofTime({ from: member.timedUpTo, to, at: this.at(member.seq) });
    if (member.state !== 'catching-up') return;
    member.timedUpTo = to;
    send(member, frames);
  }

  /** What the change of rights, for which it came here, changed. */
  async deliverReopeningTo(member: Member): Promise<void> {
    const frames = await this.framing.ofReopening(member.knows, this.at(member.seq));
    if (member.state !== 'catching-up') return;
    member.knows = this.viewer;
    send(member, frames);
  }

  async deliverProgressTo(member: Member): Promise<void> {
    const frame = await this.framing.ofProgress(this.at(member.seq));
    if (member.state === 'catching-up') send(member, [frame]);
  }

  close(): void {
    this.silence();
    this.framing.close();
    this.queue = [];
  }

  private enqueue(step: Step): void {
    this.queue.push(step);
    if (!this.isPumping) void this.pump();
  }

  private async pump(): Promise<void> {
    this.isPumping = true;
    try {
      while (this.queue.length > 0) {
        const events = this.takeEvents();
        if (events.length > 0) await this.goThrough(events);
        else await this.goBetween(this.queue.shift());
      }
    } catch (error) {
      this.queue = [];
      this.onRefusal(refusalOf(error));
    } finally {
      this.isPumping = false;
    }
  }

  /** The events before the next step of another kind and before the next change of rights, up to a bound. */
  private takeEvents(): EventStep[] {
    const end = this.queue.findIndex(
      (step, index) => step.kind !== 'event' || index === MAX_AT_ONCE || (index > 0 && isAccessChange(step.event)),
    );
    return this.queue.splice(0, end === -1 ? this.queue.length : end).filter((step) => step.kind === 'event');
  }

  private async goThrough(steps: EventStep[]): Promise<void> {
    const seqs = steps.map(({ event }) => event.seq);
    const last = seqs.at(-1) ?? this.seq;
    if (steps[0] && isAccessChange(steps[0].event)) await this.framing.ofAccess(steps[0].event);
    const frames = this.hasLive()
      ? await Promise.all(steps.map(({ event, context }) => this.frameOf(event, context, true)))
      : [];
    // An overflow meanwhile has sent everyone to the log.
    if (last <= this.seq) return;
    this.seq = last;
    const wanted = frames.filter(isFrame);
    this.toLive((member) => {
      const isAhead = member.seq >= (seqs[0] ?? 0);
      send(member, isAhead ? frames.filter((_, index) => (seqs[index] ?? 0) > member.seq).filter(isFrame) : wanted);
      member.seq = Math.max(member.seq, last);
    });
    for (const [index, { event }] of steps.entries()) if (frames[index]) this.notePush(event);
  }

  /** In the trace of what the event tells of: from its commit until it was written to everyone's socket. */
  private notePush({ traceParent, type, seq, recordedAt }: LoggedEvent): void {
    if (traceParent === null) return;
    const attributes = { 'cdesk.event.sequence': seq, 'cdesk.subscribers': this.members.size };
    const startedAt = new Date(recordedAt);
    this.tracing.note({ name: `push ${type}`, kind: 'producer', after: traceParent, startedAt, attributes });
  }

  private async goBetween(step: Step | undefined): Promise<void> {
    if (step?.kind === 'progress') {
      const frame = await this.framing.ofProgress(this.at(this.seq));
      this.toLive((member) => send(member, [frame]));
    }
    if (step?.kind === 'time') {
      const { to } = step;
      const frames = await this.framing.ofTime({ from: this.timedUpTo, to, at: this.at(this.seq) });
      this.timedUpTo = to;
      this.toLive((member) => {
        member.timedUpTo = to;
        send(member, frames);
      });
    }
  }

  private toLive(deliver: (member: Member) => void): void {
    const clogged: Member[] = [];
    for (const member of this.members) {
      if (member.state !== 'live') continue;
      if (member.sink.isClogged()) clogged.push(member);
      else deliver(member);
    }
    if (clogged.length > 0) this.sendToLog(clogged);
  }

  private hasLive(): boolean {
    for (const member of this.members) if (member.state === 'live') return true;
    return false;
  }

  /** Too much waits to be executed: everyone reads the log at their own pace instead. */
  private overflow(events: readonly LoggedEvent[]): void {
    this.queue = this.queue.filter((step) => step.kind !== 'event');
    this.seq = events.at(-1)?.seq ?? this.seq;
    this.sendToLog([...this.members].filter((member) => member.state === 'live'));
  }

  private setAlarm(after: Date): void {
    const next = this.stream.byTime?.nextAt(after);
    if (!next) return;
    this.silence = setAlarm(next, () => {
      this.enqueue({ kind: 'time', to: next });
      this.setAlarm(next);
    });
  }

  private owesTimeTo(member: Member): boolean {
    return this.stream.byTime !== undefined && member.timedUpTo < this.timedUpTo;
  }

  private at(seq: number): StreamPosition {
    return { epoch: this.epoch, seq };
  }

  private frameOf(event: LoggedEvent, context: ContextOf, isLive: boolean): Promise<Frame | null> {
    const isShared = !this.stream.hasMemory && this.members.size > 1;
    const known = isShared ? this.frames.get(event) : undefined;
    if (known) return known;
    const frame = this.framing.ofEvent(event, context, isLive);
    if (isShared) this.frames.set(event, frame);
    return frame;
  }
}

function isAccessChange({ type }: LoggedEvent): boolean {
  return type === 'ACCESS_CHANGED';
}

function isFrame(frame: Frame | null): frame is Frame {
  return frame !== null;
}
