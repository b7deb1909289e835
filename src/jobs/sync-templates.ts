import type { Task } from 'graphile-worker';
import type { Database } from '../db/database.ts';
import { ProviderError, type UserError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { MetaClient } from '../meta/client.ts';
import type { Failed } from '../meta/outcome.ts';
import type { MetaTemplate } from '../meta/templates.ts';
import type { ReadModule } from '../services/module.ts';
import { mirrorTemplates, type SyncTemplates } from '../services/templates/mirror.ts';

export type SyncOptions = { db: Database; meta: MetaClient; readModule: ReadModule; log: Log };

/** Follows Meta's listing to its end and mirrors what came. */
export function createTemplateSync({ db, meta, readModule, log }: SyncOptions): SyncTemplates {
  return async () => {
    const { settings, secrets } = await readModule.current();
    const { whatsappBusinessAccountId } = settings;
    if (!whatsappBusinessAccountId || !secrets.accessToken) return nothingMirrored(missingSettings());
    const listing = await readListing(meta, whatsappBusinessAccountId, secrets.accessToken);
    const result = await mirrorTemplates(db, listing.templates, listing.isComplete);
    log.info({ ...result, listed: listing.templates.length, isComplete: listing.isComplete }, 'templates mirrored');
    return { ...result, errors: listing.failure ? [providerError(listing.failure)] : [] };
  };
}

/** The hourly look, and the one after a webhook. A listing that broke off is tried again by the queue. */
export function createSyncTask(sync: SyncTemplates, readModule: ReadModule): Task {
  return async () => {
    const { licensed, settings } = await readModule.current();
    if (!licensed || !settings.enabled) return;
    const { errors } = await sync();
    const [error] = errors;
    if (error instanceof ProviderError && error.retryable) throw new Error(`the listing failed: ${error.message}`);
  };
}

type Listing = { templates: MetaTemplate[]; isComplete: boolean; failure: Failed | null };

async function readListing(meta: MetaClient, accountId: string, accessToken: string): Promise<Listing> {
  const templates: MetaTemplate[] = [];
  let unreadable = 0;
  for await (const page of meta.listTemplates(accountId, accessToken)) {
    if (page.kind === 'failed') return { templates, isComplete: false, failure: page.outcome };
    templates.push(...page.templates);
    unreadable += page.unreadable;
  }
  // A row that could not be read may be any of the known templates.
  return { templates, isComplete: unreadable === 0, failure: null };
}

function providerError({ kind, error }: Failed): UserError {
  const { code, traceId, title, detail } = error;
  return new ProviderError(detail ?? title, { code, traceId, retryable: kind === 'temporary' });
}

function missingSettings(): UserError {
  return new ProviderError('The WhatsApp business account and its access token must be set first.', {
    retryable: false,
  });
}

function nothingMirrored(error: UserError) {
  return { added: 0, changed: 0, removed: 0, errors: [error] };
}
