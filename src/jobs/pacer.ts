import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '../db/database.ts';
import { returnSendBudget, takeSendBudget } from '../db/statements/send-budget.ts';

/** Whether a message may leave now. */
export type Slot = { kind: 'free' } | { kind: 'paused'; until: Date } | { kind: 'stopped' };

/** Keeps a number under its messages per second across all processes. */
export type Pacer = {
  /** Settles when the number's turn has come, in the order of asking. */
  slot(businessNumberId: string): Promise<Slot>;
  /** A slot that was not used after all. */
  giveBack(businessNumberId: string): Promise<void>;
  /** Sends everybody who waits away, to ask elsewhere: this process ends. */
  stop(): void;
};

/** Meta counts by its own clock and seconds: what is saved up and what flows in must fit into one of them together. */
const BURST_SHARE = 0.05;
const FLOW_SHARE = 0.95;
const SHORTEST_WAIT_MS = 20;

export function createPacer(db: Database, messagesPerSecond: number): Pacer {
  const lanes = new Map<string, Lane>();
  const lane = (businessNumberId: string): Lane => {
    const known = lanes.get(businessNumberId) ?? new Lane(db, businessNumberId, messagesPerSecond);
    lanes.set(businessNumberId, known);
    return known;
  };
  let isStopped = false;
  return {
    slot: async (businessNumberId) => (isStopped ? elsewhere() : lane(businessNumberId).slot()),
    giveBack: (businessNumberId) => lane(businessNumberId).giveBack(),
    stop() {
      isStopped = true;
      for (const one of lanes.values()) one.answerAll(elsewhere());
    },
  };
}

function elsewhere(): Slot {
  return { kind: 'paused', until: new Date() };
}

type Waiter = { resolve: (slot: Slot) => void; reject: (error: unknown) => void };

/** Everybody of this process who waits for one number: one question to the database for all of them. */
class Lane {
  private readonly waiting: Waiter[] = [];
  private isAsking = false;

  private readonly db: Database;
  private readonly businessNumberId: string;
  private readonly perSecond: number;
  private readonly burst: number;

  constructor(db: Database, businessNumberId: string, messagesPerSecond: number) {
    this.db = db;
    this.businessNumberId = businessNumberId;
    this.perSecond = messagesPerSecond * FLOW_SHARE;
    this.burst = Math.max(1, messagesPerSecond * BURST_SHARE);
  }

  slot(): Promise<Slot> {
    const { promise, resolve, reject } = Promise.withResolvers<Slot>();
    this.waiting.push({ resolve, reject });
    if (!this.isAsking) void this.serve();
    return promise;
  }

  giveBack(): Promise<void> {
    return returnSendBudget(this.db.pool, { businessNumberId: this.businessNumberId, burst: this.burst });
  }

  private async serve(): Promise<void> {
    this.isAsking = true;
    try {
      while (this.waiting.length > 0) await this.ask();
    } catch (error) {
      for (const waiter of this.waiting.splice(0)) waiter.reject(error);
    } finally {
      this.isAsking = false;
    }
  }

  private async ask(): Promise<void> {
    const { db, businessNumberId, perSecond, burst } = this;
    const asked = Math.min(this.waiting.length, Math.ceil(burst));
    const taken = await takeSendBudget(db.pool, { businessNumberId, asked, perSecond, burst });
    if (taken.isStopped) return this.answerAll({ kind: 'stopped' });
    if (taken.pausedUntil) return this.answerAll({ kind: 'paused', until: taken.pausedUntil });
    for (const waiter of this.waiting.splice(0, taken.granted)) waiter.resolve({ kind: 'free' });
    if (this.waiting.length > 0) await pause(Math.max(SHORTEST_WAIT_MS, 1_000 / perSecond));
  }

  answerAll(slot: Slot): void {
    for (const waiter of this.waiting.splice(0)) waiter.resolve(slot);
  }
}
