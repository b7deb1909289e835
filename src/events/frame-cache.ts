import type { LoggedEvent } from '../db/event-log.ts';
import type { Frame } from './member.ts';

/** Long enough for everyone who comes back at the same moment; longer, and it would show what was erased since. */
const KEEP_MS = 2_000;
const MAX_KEPT = 1_024;

type Kept = { frame: Promise<Frame | null>; until: number };

/** What one group was sent a moment ago, for those who are not as far yet. */
export class FrameCache {
  private readonly kept = new Map<number, Kept>();

  get({ seq }: LoggedEvent): Promise<Frame | null> | undefined {
    const known = this.kept.get(seq);
    return known && known.until > Date.now() ? known.frame : undefined;
  }

  set({ seq }: LoggedEvent, frame: Promise<Frame | null>): void {
    const now = Date.now();
    this.kept.delete(seq);
    this.kept.set(seq, { frame, until: now + KEEP_MS });
    // In the order of insertion, which is the order of age.
    for (const [oldest, { until }] of this.kept) {
      if (until > now && this.kept.size <= MAX_KEPT) return;
      this.kept.delete(oldest);
    }
  }

  clear(): void {
    this.kept.clear();
  }
}
