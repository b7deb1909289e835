import { numbersOf } from '../jobs/send.ts';
import { createLastWebhook } from '../services/last-webhook.ts';
import { createSearchUpkeep } from '../services/search-upkeep.ts';
import { createIngest } from '../webhooks/ingest.ts';
import { createWebhookRoute } from '../webhooks/whatsapp.ts';
import type { IngestSettings } from '../webhooks/writer.ts';
import type { Core } from './core.ts';
import type { Door } from './door.ts';

/** Meta's entrance. */
export function createWebhooks(core: Core, { rates, addressOf }: Door) {
  const { db, log, metrics, tracing, readModule } = core;
  const lastWebhook = createLastWebhook(db);
  const searchUpkeep = createSearchUpkeep(db);
  const ingest = createIngest({
    db,
    log,
    settings: () => readIngestSettings(core),
    onStored: lastWebhook.note,
    onBatch(batch) {
      metrics.stored(batch);
      searchUpkeep.note(batch.items);
    },
    tracing,
  });
  return {
    route: createWebhookRoute({
      module: readModule,
      ingest,
      previousSecret: core.env.metaAppSecretPrevious,
      addressOf,
      secondsToWait: (address) => rates.webhook(address),
      log,
    }),
    /** Waits until all that was taken is stored. */
    async drain(): Promise<void> {
      await ingest.drain();
      await lastWebhook.flush();
    },
  };
}

export async function readIngestSettings({ readModule, rulesOf }: Core): Promise<IngestSettings> {
  const module = await readModule.current();
  const enabled = module.licensed && module.settings.enabled;
  return { numbers: numbersOf(module), rules: rulesOf(module), enabled };
}
