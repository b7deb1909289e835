import type { Duplex, Writable } from 'node:stream';
import { Refusal } from '../errors.ts';

/** A connection takes no more events while this much waits in it; it is closed beyond the greater bound. */
const CLOGGED_BYTES = 256 * 1024;
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

export const closeCodes = {
  goingAway: 1001,
  lagged: 1013,
  forbidden: 4403,
} as const;

/**
 * Answers a request for a socket that is not let in. Whoever asks may be gone, or never hang up: neither may end the
 * process or keep a place in it.
 */
export function refuseUpgrade(socket: Duplex, statusAndHeaders: string): void {
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${statusAndHeaders}\r\n\r\n`, () => socket.destroy());
}

/** What the kernel has not taken counts, whoever wrote it. */
export function isClogged(stream: Writable): boolean {
  return stream.writableLength > CLOGGED_BYTES;
}

/** True beyond what anybody may leave lying; for answers, which cannot be read again from the log. */
export function isOverfull(stream: Writable): boolean {
  return stream.writableLength > MAX_WAITING_BYTES;
}

const waiting = new WeakMap<Writable, Promise<boolean>>();

/** Settles when everything written was taken; false where it was not in time. One wait for all who ask. */
export function drained(stream: Writable, patienceMs: number): Promise<boolean> {
  const known = waiting.get(stream);
  if (known) return known;
  const wait = waitForDrain(stream, patienceMs).finally(() => waiting.delete(stream));
  waiting.set(stream, wait);
  return wait;
}

function waitForDrain(stream: Writable, patienceMs: number): Promise<boolean> {
  if (stream.destroyed || isOverfull(stream)) return Promise.resolve(false);
  if (!isClogged(stream)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (isDrained: boolean) => {
      clearTimeout(timer);
      stream.off('drain', onDrain).off('close', onClose);
      resolve(isDrained);
    };
    const onDrain = () => settle(true);
    const onClose = () => settle(false);
    const timer = setTimeout(() => settle(false), patienceMs);
    stream.on('drain', onDrain).on('close', onClose);
  });
}

export function lagged(): Refusal {
  return new Refusal('STREAM_LAGGED', 'Events were not taken fast enough. Connect again and resume from your cursor.');
}
