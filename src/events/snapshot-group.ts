import { Refusal } from '../errors.ts';
import { setAlarm } from './alarm.ts';
import type { Frame, Sink } from './member.ts';
import type { SnapshotStream } from './stream-source.ts';

/** One subscription to the present value of something. */
export type SnapshotMember = {
  readonly sink: Sink;
  shown: Buffer | null;
  state: 'open' | 'waiting' | 'ended';
};

const INTERVAL_MS = 1_000;
const RETRY_MS = 500;

/** All who ask for the same present value with the same rights: it is read once for all of them. */
export class SnapshotGroup {
  readonly members = new Set<SnapshotMember>();
  readonly stream: SnapshotStream;
  private readonly read: () => Promise<Buffer>;
  private readonly onRefusal: (refusal: Refusal) => void;
  private readonly intervalMs: number;
  private readonly unwatch: () => void;
  private silence = () => {};
  private timer: NodeJS.Timeout | null = null;
  private isReading = false;
  private isStale = false;
  /** Whoever came since the last reading began gets the next one at once. */
  private hasNewcomer = false;
  private quietUntil = 0;

  constructor(options: {
    stream: SnapshotStream;
    /** Reads and serialises the present value; throws a Refusal where it may not be seen any more. */
    read: () => Promise<Buffer>;
    onRefusal: (refusal: Refusal) => void;
  }) {
    this.stream = options.stream;
    this.read = options.read;
    this.onRefusal = options.onRefusal;
    this.intervalMs = options.stream.intervalMs ?? INTERVAL_MS;
    this.unwatch = options.stream.watch?.(() => this.touch()) ?? (() => {});
    this.setAlarm(new Date());
  }

  /** Somebody has joined. */
  welcome(): void {
    this.hasNewcomer = true;
    this.schedule();
  }

  /** Something may have changed. */
  touch(): void {
    this.isStale = true;
    this.schedule();
  }

  close(): void {
    this.unwatch();
    this.silence();
    if (this.timer) clearTimeout(this.timer);
  }

  private schedule(): void {
    if (this.isReading || this.members.size === 0) return;
    if (this.timer) clearTimeout(this.timer);
    const waitMs = this.hasNewcomer ? 0 : Math.max(0, this.quietUntil - Date.now());
    this.timer = setTimeout(() => void this.refresh(), waitMs);
  }

  private async refresh(): Promise<void> {
    this.timer = null;
    this.isReading = true;
    const isDue = Date.now() >= this.quietUntil;
    this.hasNewcomer = false;
    this.isStale = false;
    try {
      const payload = await this.read();
      if (isDue) this.quietUntil = Date.now() + this.intervalMs;
      for (const member of this.members) this.show(member, payload, isDue);
    } catch (error) {
      if (error instanceof Refusal) return this.onRefusal(error);
      // The value could not be read now: everyone waits for the next attempt.
      this.isStale = true;
      this.quietUntil = Date.now() + RETRY_MS;
    } finally {
      this.isReading = false;
    }
    if (this.isStale || this.hasNewcomer) this.schedule();
  }

  private show(member: SnapshotMember, payload: Buffer, isDue: boolean): void {
    if (member.state !== 'open' || member.shown?.equals(payload)) return;
    // The others have seen one within the interval; they get this one at its end.
    if (!isDue && member.shown !== null) return void (this.isStale = true);
    if (member.sink.isClogged()) return this.showLater(member);
    member.shown = payload;
    const frame: Frame = { payload, cursor: null };
    member.sink.send([frame]);
  }

  /** What a slow one misses is only older than what it gets. */
  private showLater(member: SnapshotMember): void {
    member.state = 'waiting';
    const resume = (isDrained: boolean) => {
      if (!isDrained || member.state === 'ended') return;
      member.state = 'open';
      this.touch();
    };
    member.sink.drained().then(resume, () => {});
  }

  private setAlarm(after: Date): void {
    const next = this.stream.nextAt?.(after);
    if (!next) return;
    this.silence = setAlarm(next, () => {
      this.touch();
      this.setAlarm(next);
    });
  }
}
