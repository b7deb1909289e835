import type { MessageDirection, MessageKind, MessageStatus, SendState } from '../generated/prisma/enums.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
/** Meta knows a message for 30 days; a little less, because its clock and ours differ. */
const KNOWN_MS = 30 * DAY_MS - 60_000;

type Known = { providerId: string | null; kind: MessageKind; withdrawnAt: Date | null; imported: boolean };

/** Meta shows a quotation of what it knows and of what was not withdrawn. */
export function isQuotable(message: Known): boolean {
  return message.providerId !== null && message.kind !== 'SYSTEM' && message.withdrawnAt === null;
}

export function isReactable(message: Known & { sentAt: Date }, now: Date): boolean {
  return isQuotable(message) && now.getTime() - message.sentAt.getTime() < KNOWN_MS;
}

/** What the customer took back, or we gave up, is made no request of and filed under none. */
export function isFilable(message: { withdrawnAt: Date | null; discardedAt: Date | null }): boolean {
  return message.withdrawnAt === null && message.discardedAt === null;
}

type Outgoing = {
  direction: MessageDirection;
  origin: string;
  status: MessageStatus | null;
  sendState: SendState | null;
  outcomeUnknown: boolean;
  discardedAt: Date | null;
};

/** What failed, or may never have arrived, and was not given up. */
export function isRetryable(message: Outgoing): boolean {
  return isOwn(message) && (message.status === 'FAILED' || message.outcomeUnknown);
}

/** As long as Meta has not accepted it. */
export function isDiscardable(message: Outgoing): boolean {
  return isOwn(message) && (message.status === 'FAILED' || message.outcomeUnknown || message.sendState === 'QUEUED');
}

/** What the phone app sent is not ours to send again. */
function isOwn({ direction, origin, discardedAt, sendState }: Outgoing): boolean {
  return direction === 'OUTGOING' && origin === 'OPERATOR' && discardedAt === null && sendState !== null;
}
