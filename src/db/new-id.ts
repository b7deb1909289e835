import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const BYTES_PER_ID = 16;
const stock = Buffer.alloc(512 * BYTES_PER_ID);
let used = stock.length;
let lastMs = 0;
let seq = 0;

/** A UUID whose order is that of time. Random bytes come in stock: fetched one by one they took 7 us of its 8. */
export function newId(): string {
  const random = takeRandomBytes();
  const now = Date.now();
  // Within a millisecond they count on from a random beginning.
  seq = now > lastMs ? random.readUInt32BE(6) >>> 1 : seq + 1;
  lastMs = Math.max(now, lastMs);
  return v7({ msecs: lastMs, seq, random });
}

function takeRandomBytes(): Buffer {
  if (used === stock.length) {
    randomFillSync(stock);
    used = 0;
  }
  used += BYTES_PER_ID;
  return stock.subarray(used - BYTES_PER_ID, used);
}
