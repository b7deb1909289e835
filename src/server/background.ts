import { startJobs } from '../jobs/start.ts';
import { forgetOldEvents } from '../jobs/stream-retention.ts';
import { startUpkeep, type Chore } from '../jobs/upkeep.ts';
import { applyArrivedItems, dropOldItems } from '../services/receiving/parked.ts';
import { applyWaitingDeliveries } from '../webhooks/waiting.ts';
import { createWriter } from '../webhooks/writer.ts';
import type { Core } from './core.ts';
import { readIngestSettings } from './webhooks.ts';

const FORGET_MS = 60_000;

/** What a worker does: sending, fetching, and what comes due with time. */
export async function startBackground(
  core: Core,
  undo: AsyncDisposableStack,
  onEnded: (why: string) => void,
): Promise<void> {
  const { db, env, log, requests } = core;
  undo.use(await startJobs({ ...core, connector: requests.store, chores: receivingChores(core), onEnded }));
  undo.use(await requests.startJobs(onEnded));
  const forgetting = [{ name: 'old events', run: () => forgetOldEvents(db, env) }];
  undo.use(startUpkeep({ chores: forgetting, everyMs: FORGET_MS, log }));
}

function receivingChores(core: Core): Chore[] {
  const { db, log } = core;
  const settings = () => readIngestSettings(core);
  const writer = createWriter({ db, settings, log });
  return [
    { name: 'parked items', run: async () => applyArrivedItems(db, await settings()) },
    { name: 'old parked items', run: () => dropOldItems(db) },
    { name: 'waiting deliveries', run: () => applyWaitingDeliveries(db, writer, settings) },
  ];
}
