import { customerId } from './ids.ts';
import type { StatusWord } from './options.ts';

/** One call that the sandbox took over; what Meta would have sent to the customer or shown to them. */
export type LedgerEntry = {
  /** Counts from 1; also the position to read on from. */
  number: number;
  kind: 'message' | 'mark-read' | 'typing';
  /** Of the message sent, or of the one marked as read. */
  providerId: string;
  phoneNumberId: string;
  /** Digits or business-scoped id; null for marks. */
  to: string | null;
  payload: Record<string, unknown>;
  opaqueData: string | null;
  receivedAt: Date;
  /** In the order in which they were posted. */
  statuses: StatusWord[];
};

export type LedgerFilter = {
  after?: number;
  to?: string;
  phoneNumberId?: string;
  kind?: LedgerEntry['kind'];
  limit?: number;
};

export type Ledger = {
  add(entry: Omit<LedgerEntry, 'number' | 'statuses'>): LedgerEntry;
  find(providerId: string): LedgerEntry | undefined;
  list(filter?: LedgerFilter): LedgerEntry[];
  clear(): void;
};

/** Enough for a long load test without filling the memory. */
const maxEntries = 200_000;

export function createLedger(): Ledger {
  const entries = new Map<number, LedgerEntry>();
  const sent = new Map<string, LedgerEntry>();
  let last = 0;

  const forgetOldest = (): void => {
    const [oldest] = entries.values();
    if (oldest === undefined) return;
    entries.delete(oldest.number);
    sent.delete(oldest.providerId);
  };

  return {
    add(draft) {
      const entry: LedgerEntry = { number: ++last, ...draft, statuses: [] };
      entries.set(entry.number, entry);
      if (entry.kind === 'message') sent.set(entry.providerId, entry);
      if (entries.size > maxEntries) forgetOldest();
      return entry;
    },
    find: (providerId) => sent.get(providerId),
    list: ({ after = 0, to, phoneNumberId, kind, limit = Number.POSITIVE_INFINITY } = {}) =>
      entries
        .values()
        .filter((entry) => entry.number > after)
        .filter((entry) => to === undefined || entry.to === customerId(to))
        .filter((entry) => phoneNumberId === undefined || entry.phoneNumberId === phoneNumberId)
        .filter((entry) => kind === undefined || entry.kind === kind)
        .take(limit)
        .toArray(),
    clear() {
      entries.clear();
      sent.clear();
    },
  };
}
