import { setTimeout as pause } from 'node:timers/promises';
import type { DeliveryFault } from './faults.ts';
import type { Delays, StatusWord } from './options.ts';

export type PlannedStatus = {
  status: StatusWord;
  /** When it is posted, counted from the acceptance. */
  afterMs: number;
  /** What its timestamp says, which stays true when the order of posting is not. */
  happensMs: number;
  error?: { code: number; details?: string };
};

export type Deliveries = {
  /** Posts one after the other; resolves when the first one has been posted. */
  start(plan: readonly PlannedStatus[], post: (planned: PlannedStatus) => Promise<unknown>): Promise<void>;
  settled(): Promise<void>;
  close(): Promise<void>;
};

export function createDeliveries(): Deliveries {
  const running = new Set<Promise<void>>();
  const closing = new AbortController();

  const run = async (plan: readonly PlannedStatus[], post: (one: PlannedStatus) => Promise<unknown>): Promise<void> => {
    const startedMs = performance.now();
    for (const planned of plan) {
      const leftMs = planned.afterMs - (performance.now() - startedMs);
      if (leftMs > 0) await pause(leftMs, undefined, { signal: closing.signal }).catch(() => undefined);
      if (closing.signal.aborted) return;
      await post(planned);
    }
  };

  return {
    start(plan, post) {
      const first = Promise.withResolvers<void>();
      const whole = run(plan, (planned) => post(planned).finally(first.resolve)).finally(() => {
        first.resolve();
        running.delete(whole);
      });
      running.add(whole);
      return first.promise;
    },
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
    async close() {
      closing.abort();
      await Promise.all(running);
    },
  };
}

/** The statuses of one message, with everything that goes wrong with them. Reactions only ever get `sent`. */
export function planStatuses(delays: Delays, faults: readonly DeliveryFault[], isReaction: boolean): PlannedStatus[] {
  const delivered = isReaction ? null : delays.deliveredMs;
  const read = isReaction ? null : delays.readMs;
  const regular = [planned('sent', delays.sentMs), planned('delivered', delivered), planned('read', read)].flat();
  return faults.reduce(disturb, regular);
}

function planned(status: StatusWord, afterMs: number | null): PlannedStatus[] {
  return afterMs === null ? [] : [{ status, afterMs, happensMs: afterMs }];
}

function disturb(plan: PlannedStatus[], fault: DeliveryFault): PlannedStatus[] {
  switch (fault.kind) {
    case 'status-first':
      return plan.map((one, index) => (index === 0 ? { ...one, afterMs: 0 } : one));
    case 'duplicate-statuses':
      return plan.flatMap((one) => [one, one]);
    case 'reverse-statuses':
      return plan.toReversed().map((one, index) => ({ ...one, afterMs: plan[index]?.afterMs ?? 0 }));
    case 'drop-statuses':
      return plan.filter(({ status }) => fault.only !== undefined && !fault.only.some((word) => word === status));
    case 'late-statuses':
      return plan.map((one) => ({ ...one, afterMs: one.afterMs + fault.ms }));
    case 'failed-status':
      break;
  }
  return [...(fault.atOnce ? [] : plan.slice(0, 1)), failure(plan, fault)];
}

function failure(plan: readonly PlannedStatus[], fault: { code: number; details?: string }): PlannedStatus {
  const { afterMs = 0, happensMs = 0 } = plan[1] ?? plan[0] ?? {};
  const { code, details } = fault;
  return { status: 'failed', afterMs, happensMs, error: { code, ...(details === undefined ? {} : { details }) } };
}
