import type { LoggedEvent } from '../db/event-log.ts';

const MAX_KEPT = 4_096;

/** The newest events that this process has seen, so that a thousand who come back at once need no statement each. */
export class RecentEvents {
  /** Contiguous and in order. */
  private events: LoggedEvent[] = [];

  add(events: readonly LoggedEvent[]): void {
    this.events.push(...events);
    // Cut rarely: every cut copies.
    if (this.events.length > MAX_KEPT * 2) this.events = this.events.slice(-MAX_KEPT);
  }

  /** What follows this sequence; null where it is not all here. */
  after(seq: number, limit: number): LoggedEvent[] | null {
    const first = this.events[0]?.seq ?? 0;
    if (!this.covers(seq)) return null;
    return this.events.slice(seq - first + 1, seq - first + 1 + limit);
  }

  /** True where everything after this sequence is here. */
  covers(seq: number): boolean {
    const first = this.events[0]?.seq;
    return first !== undefined && seq >= first - 1;
  }

  clear(): void {
    this.events = [];
  }
}
