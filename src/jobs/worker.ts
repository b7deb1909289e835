import { Logger, run, type Runner, type Task, type TaskList } from 'graphile-worker';
import type { Database } from '../db/database.ts';
import type { Log } from '../log.ts';
import type { Tracing } from '../tracing/tracing.ts';

export type Jobs = AsyncDisposable;

/** Runs the tasks of this process; disposing finishes what is running. */
export async function startWorker(options: {
  db: Database;
  tasks: TaskList;
  /** Jobs at once. One that waits for somebody else holds no connection, so that there may be more than connections. */
  concurrency: number;
  /** Lines of a crontab, UTC. */
  crontab?: string;
  tracing: Tracing;
  log: Log;
}): Promise<Jobs> {
  const { db, concurrency, crontab, tracing, log } = options;
  const tasks = Object.fromEntries(Object.entries(options.tasks).map(([name, task]) => [name, traced(name, task)]));
  const runner: Runner = await run({
    pgPool: db.pool,
    taskList: tasks,
    concurrency,
    // One question for all who are idle: they would otherwise ask every second, each of them.
    preset: { worker: { localQueue: { size: concurrency } } },
    ...(crontab === undefined ? {} : { crontab }),
    noHandleSignals: true,
    pollInterval: 1_000,
    logger: toPino(log),
  });
  // The runner ends by itself only when it was stopped or when it failed for good.
  runner.promise.catch((error: unknown) => log.error({ err: error }, 'the job worker ended'));
  return {
    async [Symbol.asyncDispose]() {
      await runner.stop();
    },
  };

  function traced(name: string, task: Task | undefined): Task | undefined {
    return task && ((...args) => tracing.span({ name: `job ${name}`, kind: 'consumer' }, async () => task(...args)));
  }
}

function toPino(log: Log): Logger {
  return new Logger(({ jobId, taskIdentifier }) => (level, message) => {
    // Per-job chatter of the library is of interest only when something is searched for.
    if (level === 'error') log.error({ jobId, taskIdentifier }, message);
    else if (level === 'warning' && !isMeant(message)) log.warn({ jobId, taskIdentifier }, message);
    else log.trace({ jobId, taskIdentifier }, message);
  });
}

/** It takes fewer connections than jobs for a mistake. */
function isMeant(message: string): boolean {
  return message.includes('smaller than concurrency');
}
