import type { LoggedEvent } from '../db/event-log.ts';

/** Carries events to the hubs of other processes. It may lose, repeat and reorder: every hub checks. */
export type LiveTransport = AsyncDisposable & {
  /** Best effort: never awaited, never throws. */
  publish(events: LoggedEvent[]): void;
  start(onEvents: (events: LoggedEvent[]) => void): void;
  /** Drops what it still carries; every hub reads the log instead. */
  forget(): Promise<void>;
  /** False while the hub should look at the database more often. */
  isHealthy(): boolean;
};

/** Without Redis: its own hub is told directly. Other processes on the same database are heard by looking there. */
export function createInProcessTransport(): LiveTransport {
  return {
    publish() {},
    start() {},
    async forget() {},
    isHealthy: () => false,
    async [Symbol.asyncDispose]() {},
  };
}
