import type { Task } from 'graphile-worker';
import { z } from 'zod';
import type { Log } from '../log.ts';
import type { MetaClient } from '../meta/client.ts';
import type { ReadModule } from '../services/module.ts';

export type ReceiptOptions = { meta: MetaClient; readModule: ReadModule; log: Log };

const payloadSchema = z.object({
  providerId: z.string(),
  phoneNumberId: z.string(),
  typing: z.boolean(),
  /** After this instant nobody wants it any more; null: it is worth a late try. */
  until: z.coerce.date().nullable(),
});

/** Tells Meta what was read, or that somebody types. Saying it twice does no harm. */
export function createReceiptTask({ meta, readModule, log }: ReceiptOptions): Task {
  return async (payload) => {
    const { providerId, phoneNumberId, typing, until } = payloadSchema.parse(payload);
    const { secrets, settings } = await readModule.current();
    if (!secrets.accessToken || !settings.enabled || (until && until < new Date())) return;
    const outcome = await meta.markRead(phoneNumberId, secrets.accessToken, providerId, { typing });
    if (outcome.kind === 'ok') return;
    if (outcome.kind === 'temporary') throw new Error(`WhatsApp did not take a read receipt: ${outcome.error.title}`);
    log.warn({ code: outcome.error.code, title: outcome.error.title }, 'WhatsApp refused a read receipt');
  };
}
