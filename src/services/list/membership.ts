export type ListChangeKind = 'ENTERED' | 'UPDATED' | 'LEFT';

type Known = { isMember: boolean; seq: number };
/** `isTold`: live followers have heard of it. */
type Remembered = Known & { isTold: boolean };

const MAX_KNOWN = 5_000;

/**
 * What is known of who is in a list, so that news of a conversation outside it need not be sent. It only ever spares
 * payloads: whatever is not certain is told, and a client removes what it does not hold without harm.
 */
export class Membership {
  private readonly known = new Map<string, Remembered>();
  /** Everybody in the list as of one event, where there are few enough. */
  private whole: { seq: number; ids: ReadonlySet<string> } | null = null;
  /** Every event from `unbrokenFrom` to `lastSeq` was looked at. */
  private unbrokenFrom = 0;
  private lastSeq = 0;
  private readonly isSteady: boolean;

  /** `isSteady`: only events change who is in the list, never time alone. */
  constructor({ isSteady }: { isSteady: boolean }) {
    this.isSteady = isSteady;
  }

  /** To be told of every event, wanted or not: knowledge from before a gap proves nothing. */
  see(seq: number): void {
    if (seq <= this.lastSeq) return;
    if (seq !== this.lastSeq + 1) this.unbrokenFrom = seq;
    this.lastSeq = seq;
  }

  start(members: { seq: number; ids: ReadonlySet<string> }): void {
    this.whole = members;
  }

  /**
   * The news that event `seq` is for this list, after looking at the conversation as of `now.seq`. Null for live
   * followers where it was outside before and is outside now, and nobody can have seen it inside: all states in between
   * were looked at. Who catches up may come from any of them, and is always told.
   */
  changeOf(
    id: string,
    seq: number,
    now: Known,
    { isLive, isNew }: { isLive: boolean; isNew: () => boolean },
  ): ListChangeKind | null {
    const before = this.before(id);
    const isCertain = this.isSteady && before !== null && seq > before.seq && before.seq >= this.unbrokenFrom - 1;
    this.remember(id, now, isLive);
    if (!now.isMember) return isLive && isCertain && !before.isMember ? null : 'LEFT';
    // The look for an earlier event may have seen more than that event, and was told.
    if (before && (seq > before.seq || (isLive && before.isTold))) return before.isMember ? 'UPDATED' : 'ENTERED';
    return isNew() ? 'ENTERED' : 'UPDATED';
  }

  private before(id: string): Remembered | null {
    const known = this.known.get(id);
    if (known || !this.whole) return known ?? null;
    return { isMember: this.whole.ids.has(id), seq: this.whole.seq, isTold: false };
  }

  private remember(id: string, now: Known, isLive: boolean): void {
    const known = this.known.get(id);
    if (known && known.seq > now.seq) return;
    this.known.delete(id);
    this.known.set(id, { ...now, isTold: isLive || known?.isTold === true });
    if (this.known.size <= MAX_KNOWN) return;
    // What was in `whole` and forgotten here would be taken as still so.
    this.whole = null;
    for (const oldest of this.known.keys()) {
      this.known.delete(oldest);
      return;
    }
  }
}
