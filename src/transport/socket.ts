import type { WebSocket } from 'ws';
import { Refusal } from '../errors.ts';

/** A socket takes no more events while this much waits in it; it is closed beyond the greater bound. */
const CLOGGED_BYTES = 256 * 1024;
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
const MAX_UNDRAINED_MS = 30_000;
const LOOK_MS = 100;

export const closeCodes = {
  goingAway: 1001,
  lagged: 1013,
  forbidden: 4403,
} as const;

/** Closes one that does not drain, alone: the client resumes by cursor. */
export function isClogged(socket: WebSocket): boolean {
  return socket.bufferedAmount > CLOGGED_BYTES;
}

/** Settles when the socket has taken what was written; false where it never did. */
export async function drained(socket: WebSocket): Promise<boolean> {
  const giveUpAt = Date.now() + MAX_UNDRAINED_MS;
  while (socket.readyState === socket.OPEN && isClogged(socket)) {
    if (Date.now() > giveUpAt || socket.bufferedAmount > MAX_WAITING_BYTES) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return socket.readyState === socket.OPEN;
}

export function lagged(): Refusal {
  return new Refusal('STREAM_LAGGED', 'Events were not taken fast enough. Connect again and resume from your cursor.');
}

/** The frame of one subscription around a payload that many share. */
export function nextFrame(id: string, payload: Buffer): Buffer {
  const head = Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`);
  return Buffer.concat([head, payload, CLOSING], head.length + payload.length + 1);
}

const CLOSING = Buffer.from('}');
