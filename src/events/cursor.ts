import type { StreamHead } from '../db/stream-head.ts';
import { badInput, Refusal } from '../errors.ts';

/** A position in the event stream: everything up to `seq` of this epoch has been seen. */
export type StreamPosition = { epoch: string; seq: number };

const VERSION = '1';

export function encodeStreamCursor({ epoch, seq }: StreamPosition): string {
  return Buffer.from(`${VERSION}.${epoch}.${seq}`).toString('base64url');
}

/** The same for the same event however often it is delivered. */
export function eventIdOf({ epoch, seq }: StreamPosition): string {
  return `${epoch}-${seq}`;
}

export function decodeStreamCursor(cursor: string): StreamPosition {
  const match = /^1\.([0-9a-f]{8})\.(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (!match?.[1] || !match[2]) throw badInput('after is not a cursor of the event stream.', 'after');
  return { epoch: match[1], seq: Number(match[2]) };
}

/** The sequence to go on from; refuses where continuity from this cursor cannot be proved. */
export function checkCursor(position: StreamPosition, head: StreamHead): number {
  if (position.epoch !== head.epoch) throw cursorExpired('EPOCH_CHANGED', head);
  if (position.seq > head.seq) throw cursorExpired('FUTURE', head);
  if (position.seq < head.floorSeq) throw cursorExpired('RETENTION', head);
  return position.seq;
}

/** Whether a client can still go on from a cursor that it was given. */
export function isKept(cursor: string, { epoch, floorSeq }: StreamHead): boolean {
  const position = decodeStreamCursor(cursor);
  return position.epoch === epoch && position.seq >= floorSeq;
}

export type ExpiryReason = 'EPOCH_CHANGED' | 'FUTURE' | 'RETENTION';

const sentences: Record<ExpiryReason, string> = {
  EPOCH_CHANGED: 'The event stream was begun anew.',
  FUTURE: 'This cursor lies ahead of the event stream.',
  RETENTION: 'The events after this cursor are no longer kept.',
};

export function cursorExpired(reason: ExpiryReason, head: StreamHead): Refusal {
  const oldest = encodeStreamCursor({ epoch: head.epoch, seq: head.floorSeq });
  const extensions = { reason, oldest, head: encodeStreamCursor(head) };
  return new Refusal(
    'CURSOR_EXPIRED',
    `${sentences[reason]} Load your lists again and go on from their asOf.`,
    extensions,
  );
}
