import type { MessageStatus } from '../generated/prisma/enums.ts';

const RANK: Record<MessageStatus, number> = { PENDING: 0, SENT: 1, FAILED: 1, DELIVERED: 2, READ: 3 };

/**
 * The status of an outgoing message after Meta told `told`, in whatever order it came: never backwards, FAILED only
 * from PENDING or SENT, DELIVERED and READ win over FAILED, SENT does not.
 */
export function nextStatus(current: MessageStatus, told: MessageStatus): MessageStatus {
  if (told === 'FAILED') return RANK[current] <= RANK.SENT ? 'FAILED' : current;
  return RANK[told] > RANK[current] ? told : current;
}

export type StatusTold = { status: MessageStatus; at: Date; recordedAt: Date };

/** The history as clients see it, oldest first. Meta leaves DELIVERED out when the chat is open: READ implies it. */
export function statusHistory(told: readonly StatusTold[]): (StatusTold & { inferred: boolean })[] {
  const entries = told.map((entry) => ({ ...entry, inferred: false }));
  const read = entries.filter((entry) => entry.status === 'READ').toSorted(byTimeAndRank)[0];
  const isDeliveredKnown = entries.some((entry) => entry.status === 'DELIVERED');
  if (read && !isDeliveredKnown) entries.push({ ...read, status: 'DELIVERED', inferred: true });
  return entries.toSorted(byTimeAndRank);
}

/** Meta's times are whole seconds: within one, rank decides. */
function byTimeAndRank(a: StatusTold, b: StatusTold): number {
  return a.at.getTime() - b.at.getTime() || RANK[a.status] - RANK[b.status];
}
