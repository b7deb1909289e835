import type { TaskList } from 'graphile-worker';
import type { Database } from '../db/database.ts';
import { addTemplateSyncJob, SEND_TASKS } from '../db/statements/jobs.ts';
import { findExpiredReplies, requeueAbandonedSends } from '../db/statements/send-queue.ts';
import { transaction } from '../db/transaction.ts';
import type { Env } from '../env.ts';
import type { LiveTransport } from '../events/live-transport.ts';
import type { FileStore } from '../files/file-store.ts';
import type { Log } from '../log.ts';
import type { MetaClient } from '../meta/client.ts';
import type { Rules } from '../services/changes.ts';
import type { RequestConnector } from '../services/connector.ts';
import { requeueAbandonedMedia } from '../services/media.ts';
import type { ChatModule, ReadModule } from '../services/module.ts';
import { failExpiredReplies } from '../services/sending.ts';
import type { SyncTemplates } from '../services/templates/mirror.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { createEraseTask } from './erase.ts';
import { createMediaTask } from './media.ts';
import { createPacer, type Pacer } from './pacer.ts';
import { createReactionTask } from './reaction.ts';
import { createReceiptTask } from './receipts.ts';
import { createRemovalTask } from './remove-files.ts';
import { createRetentionTask, HOURLY_RETENTION } from './retention.ts';
import { canSend, createSendTask } from './send.ts';
import { startSweeper } from './sweeper.ts';
import { createSyncTask } from './sync-templates.ts';
import { createUploadTask } from './upload.ts';
import { startUpkeep, type Chore } from './upkeep.ts';
import { startWorker } from './worker.ts';

export type JobOptions = {
  db: Database;
  env: Env;
  meta: MetaClient;
  files: FileStore;
  readModule: ReadModule;
  rulesOf: (module: ChatModule) => Rules;
  syncTemplates: SyncTemplates;
  transport: LiveTransport;
  connector: RequestConnector;
  tracing: Tracing;
  /** Of other parts. */
  chores: Chore[];
  onEnded: (why: string) => void;
  log: Log;
};

/**
 * Sends at once of one number, in seconds of the full rate. Calls that Meta leaves without an answer must not hold up the others (5 %
 * of them with 15 seconds each are 0.75), and who waits for a turn must not be taken for dead.
 */
const SECONDS_OF_SENDS = 1.6;
const FEWEST_SENDS = 16;
/** Apart from what is sent: a hundred large files must not hold up a reply. A few large ones do not hold up a small one. */
const BACKGROUND_JOBS = 16;
const HOURLY_SYNC = '17 * * * * sync-templates';
/** A job that has been at one conversation for as long has died with its process. */
const SEND_PATIENCE_MS = 8_000;

/** Everything that a process does by itself: sending, fetching, mirroring, and what comes due with time. */
export async function startJobs(options: JobOptions): Promise<AsyncDisposable> {
  const { db, env, onEnded, tracing, log } = options;
  await using undo = new AsyncDisposableStack();
  const pacer = createPacer(db, env.metaMessagesPerSecond);
  const concurrency = Math.max(FEWEST_SENDS, Math.ceil(env.metaMessagesPerSecond * SECONDS_OF_SENDS));
  for (const tasks of sendTasks(options, pacer))
    undo.use(await startWorker({ db, tasks, concurrency, onEnded, tracing, log }));
  undo.defer(() => pacer.stop());
  const background = backgroundTasks(options);
  undo.use(
    await startWorker({
      db,
      tasks: background,
      concurrency: BACKGROUND_JOBS,
      crontab: `${HOURLY_SYNC}\n${HOURLY_RETENTION}`,
      onEnded,
      tracing,
      log,
    }),
  );
  if (env.syncTemplatesAtStart) await transaction(db, (tx) => addTemplateSyncJob(tx));
  undo.use(await startSweeper(options));
  undo.use(startUpkeep({ chores: [...options.chores, ...ownChores(options)], everyMs: env.upkeepIntervalMs, log }));
  return undo.move();
}

/** What both have in common is done by whoever is free. */
function sendTasks(options: JobOptions, pacer: Pacer): TaskList[] {
  const { env } = options;
  const limits = { unknownWaitMs: env.unknownOutcomeWaitSeconds * 1000, timeoutMs: env.metaTimeoutMs };
  const send = createSendTask({ ...options, ...limits, pacer });
  const common = {
    'send-reaction': createReactionTask({ ...options, pacer }),
    'mark-read': createReceiptTask(options),
  };
  return SEND_TASKS.map((name) => ({ [name]: send, ...common }));
}

function backgroundTasks(options: JobOptions): TaskList {
  return {
    erase: createEraseTask(options),
    'fetch-media': createMediaTask(options),
    'remove-files': createRemovalTask(options),
    retention: createRetentionTask(options),
    'upload-media': createUploadTask(options),
    'sync-templates': createSyncTask(options.syncTemplates, options.readModule),
  };
}

function ownChores({ db, readModule, rulesOf }: JobOptions): Chore[] {
  return [
    { name: 'abandoned media', run: () => requeueAbandonedMedia(db) },
    {
      name: 'abandoned sends',
      run: async () => {
        if (!canSend(await readModule.current())) return;
        await transaction(db, (tx) => requeueAbandonedSends(tx, SEND_PATIENCE_MS));
      },
    },
    {
      name: 'expired replies',
      run: async () => {
        const ids = await transaction(db, findExpiredReplies);
        if (ids.length > 0) await failExpiredReplies(db, ids, rulesOf(await readModule.current()));
      },
    },
  ];
}
