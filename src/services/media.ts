import type { Database } from '../db/database.ts';
import {
  addMediaJobs,
  beginFetching,
  findAbandonedMedia,
  postponeFetching,
  settleMedia,
  type FetchedMedia,
  type WantedMedia,
} from '../db/statements/media.ts';
import { transaction, type Transaction } from '../db/transaction.ts';
import { mediaType } from './media-type.ts';

/** What fetching one file came to. */
export type MediaResult =
  | { kind: 'fetched'; storageKey: string; size: number; sha256: string; detectedType: string | null }
  /** Trying again can help; `afterMs` is what Meta asked for. */
  | { kind: 'later'; why: string; afterMs: number | null }
  | { kind: 'refused'; why: string };

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DELAYS_MS = [2 * SECOND, 10 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * 60 * MINUTE, 6 * 60 * MINUTE];

/** A whole download of the largest file on a slow line; after it somebody else tries. */
const LEASE_MS = 15 * MINUTE;
const ABANDONED_MS = 30 * SECOND;

export function takeMedia(db: Database, attachmentId: string): Promise<WantedMedia | null> {
  return transaction(db, (tx) => beginFetching(tx, attachmentId, new Date(tx.now.getTime() + LEASE_MS)));
}

/** Writes down what became of it, and tells those who look at the message. False: nobody wants the file any more. */
export function recordMedia(db: Database, wanted: WantedMedia, result: MediaResult): Promise<boolean> {
  return transaction(db, async (tx) => {
    if (result.kind === 'fetched') {
      const { storageKey, size: byteSize, sha256, detectedType } = result;
      const mimeType = mediaType(wanted.announcedType, detectedType);
      return settle(tx, wanted, { state: 'AVAILABLE', storageKey, byteSize, sha256, mimeType, error: null });
    }
    if (result.kind === 'refused') return settle(tx, wanted, lost('FAILED', result.why));
    const at = nextAttempt(wanted, tx.now, result.afterMs);
    if (!at) return settle(tx, wanted, lost('EXPIRED', result.why));
    if (!(await postponeFetching(tx, wanted.attachmentId, at, result.why))) return false;
    await addMediaJobs(tx, [wanted.attachmentId], at);
    return true;
  });
}

/** Null where Meta would not give the file any more by then. */
export function nextAttempt(wanted: WantedMedia, now: Date, afterMs: number | null): Date | null {
  const delay = DELAYS_MS[Math.min(wanted.attempts, DELAYS_MS.length) - 1] ?? 0;
  const at = new Date(now.getTime() + Math.max(delay, afterMs ?? 0));
  return at < wanted.expiresAt ? at : null;
}

/** A job of a process that was killed stays locked for hours: its file gets another one. */
export function requeueAbandonedMedia(db: Database): Promise<void> {
  return transaction(db, async (tx) => {
    await addMediaJobs(tx, await findAbandonedMedia(tx, new Date(tx.now.getTime() - ABANDONED_MS)));
  });
}

function lost(state: 'FAILED' | 'EXPIRED', error: string): FetchedMedia {
  return { state, storageKey: null, byteSize: null, sha256: null, mimeType: null, error };
}

async function settle(tx: Transaction, wanted: WantedMedia, media: FetchedMedia): Promise<boolean> {
  const message = await settleMedia(tx, wanted.attachmentId, media);
  if (!message) return false;
  tx.append({ type: 'MESSAGE_UPDATED', ...message, occurredAt: tx.now });
  return true;
}
