import { EventEmitter } from 'node:events';
import {
  Logger,
  run,
  type Runner,
  type Task,
  type TaskList,
  type WorkerEventMap,
  type WorkerEvents,
} from 'graphile-worker';
import type { Database } from '../db/database.ts';
import type { Log } from '../log.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { patientPool } from './patient-pool.ts';

type LocalQueue = WorkerEventMap['localQueue:init']['localQueue'];

export type Jobs = AsyncDisposable;

/** Runs the tasks of this process; disposing finishes what is running. */
export async function startWorker(options: {
  db: Database;
  tasks: TaskList;
  /** Jobs at once. One that waits for somebody else holds no connection, so that there may be more than connections. */
  concurrency: number;
  /** Lines of a crontab, UTC. */
  crontab?: string;
  /** The library stopped by itself, for good: without jobs a process would take messages and send none. */
  onEnded: (why: string) => void;
  tracing: Tracing;
  log: Log;
}): Promise<Jobs> {
  const { db, concurrency, crontab, onEnded, tracing, log } = options;
  const tasks = Object.fromEntries(Object.entries(options.tasks).map(([name, task]) => [name, traced(name, task)]));
  const events: WorkerEvents = new EventEmitter();
  let local: LocalQueue | null = null;
  let isEnding = false;
  events.on('localQueue:init', ({ localQueue }) => (local = localQueue));
  events.on('pool:gracefulShutdown', ({ message }) => {
    if (isEnding) return;
    isEnding = true;
    onEnded(`The job worker gave up, and nothing would be sent any more: start this process anew. It said: ${message}`);
  });
  const { pool, hurry } = patientPool(db.pool);
  const runner: Runner = await run({
    events,
    pgPool: pool,
    taskList: tasks,
    concurrency,
    // One question for all who are idle: they would otherwise ask every second, each of them.
    preset: { worker: { localQueue: { size: concurrency } } },
    ...(crontab === undefined ? {} : { crontab }),
    noHandleSignals: true,
    pollInterval: 1_000,
    logger: toPino(log),
  });
  return {
    async [Symbol.asyncDispose]() {
      if (isEnding) return runner.promise;
      isEnding = true;
      // The library cannot end while it holds jobs that nobody has begun: it would break off those that are running.
      local?.jobQueue.splice(0);
      const isDone = await Promise.race([runner.stop().then(() => true), hurry().then(() => false)]);
      if (!isDone) log.warn('the database is away: what the jobs came to is not noted');
      else if (local) await unlockJobs(local.workerPool.id);
    },
  };

  async function unlockJobs(holder: string): Promise<void> {
    await db.pool
      .query('SELECT graphile_worker.force_unlock_workers($1)', [[holder]])
      .catch((error: unknown) => log.warn({ err: error }, 'jobs stay locked'));
  }

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
