import type { Log } from '../log.ts';

/** Work that comes due with time alone. It must be safe to do twice at once: every process does it. */
export type Chore = { name: string; run: () => Promise<unknown> };

/** Does its chores one after another, at once and then every few seconds; one that fails leaves the others alone. */
export function startUpkeep(options: { chores: Chore[]; everyMs: number; log: Log }): AsyncDisposable {
  const { chores, everyMs, log } = options;
  let isStopped = false;
  let timer: NodeJS.Timeout | null = null;
  let running = doAll();

  async function doAll(): Promise<void> {
    for (const chore of chores) {
      if (isStopped) return;
      await chore.run().catch((error: unknown) => log.warn({ err: error, chore: chore.name }, 'a chore failed'));
    }
    if (!isStopped) timer = setTimeout(() => void (running = doAll()), everyMs);
  }

  return {
    async [Symbol.asyncDispose]() {
      isStopped = true;
      if (timer) clearTimeout(timer);
      await running;
    },
  };
}
