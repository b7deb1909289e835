import { graphError } from './graph-error.ts';
import { conversationKey } from './ids.ts';
import type { Limits } from './options.ts';

export type Quota = {
  /** Throws Meta's error when the message is one too many. */
  take(phoneNumberId: string, customer: string, limits: Limits, nowMs: number): void;
};

export function createQuota(): Quota {
  const seconds = new Map<string, { second: number; count: number }>();
  const pairs = new Map<string, { allowance: number; atMs: number }>();

  const takeThroughput = (phoneNumberId: string, limit: number, nowMs: number): void => {
    const second = Math.floor(nowMs / 1_000);
    const known = seconds.get(phoneNumberId);
    const count = known?.second === second ? known.count : 0;
    if (count >= limit) throw graphError(130429, 'Cloud API message throughput has been reached.');
    seconds.set(phoneNumberId, { second, count: count + 1 });
  };

  const takePair = (key: string, { burst, everyMs }: { burst: number; everyMs: number }, nowMs: number): void => {
    const known = pairs.get(key) ?? { allowance: burst, atMs: nowMs };
    const allowance = Math.min(burst, known.allowance + (nowMs - known.atMs) / everyMs);
    if (allowance < 1) throw graphError(131056, 'Too many messages sent to this customer in a short time.');
    pairs.set(key, { allowance: allowance - 1, atMs: nowMs });
  };

  return {
    take(phoneNumberId, customer, { messagesPerSecond, pair }, nowMs) {
      if (messagesPerSecond !== null) takeThroughput(phoneNumberId, messagesPerSecond, nowMs);
      if (pair !== null) takePair(conversationKey(phoneNumberId, customer), pair, nowMs);
    },
  };
}
