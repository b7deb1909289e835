import type { Client } from 'graphql-ws';

/** Collects what a subscription delivers, and waits for it with a deadline. */
export type Collected<T> = {
  all: T[];
  errors: unknown[];
  /** The first `count` payloads. */
  take(count: number, timeoutMs?: number): Promise<T[]>;
  /** Settles when the subscription has ended. */
  ended: Promise<void>;
  stop(): void;
};

export function collect<T>(client: Client, query: string, variables: Record<string, unknown> = {}): Collected<T> {
  const all: T[] = [];
  const errors: unknown[] = [];
  const ended = Promise.withResolvers<void>();
  const watchers = new Set<() => void>();
  const wake = () => {
    for (const watcher of watchers) watcher();
  };
  const stop = client.subscribe<T>(
    { query, variables },
    {
      next: (result) => {
        if (result.errors) errors.push(...result.errors);
        if (result.data) all.push(result.data);
        wake();
      },
      error: (error) => {
        errors.push(error);
        ended.resolve();
        wake();
      },
      complete: () => ended.resolve(),
    },
  );
  return {
    all,
    errors,
    ended: ended.promise,
    stop,
    take: (count, timeoutMs = 20_000) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () =>
            finish(() =>
              reject(new Error(`only ${all.length} of ${count} payloads came; errors: ${JSON.stringify(errors)}`)),
            ),
          timeoutMs,
        );
        const check = () => {
          if (all.length >= count) finish(() => resolve(all.slice(0, count)));
        };
        const finish = (settle: () => void) => {
          clearTimeout(timer);
          watchers.delete(check);
          settle();
        };
        watchers.add(check);
        check();
      }),
  };
}

/** Waits until the work gives a value that is not null; for what has no event of its own. */
export async function eventually<T>(work: () => Promise<T | null | undefined | false>, timeoutMs = 20_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await work();
    if (value !== null && value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error('it did not come to pass in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
