import type { Logger } from 'pino';
import { createDeliveries } from './delivery.ts';
import type { Deliveries } from './delivery.ts';
import { createFaults } from './faults.ts';
import type { Faults } from './faults.ts';
import { createLedger } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import { createMediaStore } from './media-store.ts';
import type { MediaStore } from './media-store.ts';
import type { Delays, Limits, SandboxNumber, SandboxOptions } from './options.ts';
import { createQuota } from './quota.ts';
import type { Quota } from './quota.ts';
import { createRandom } from './random.ts';
import type { Random } from './random.ts';
import { sampleTemplates } from './template-samples.ts';
import type { SandboxTemplate } from './template-samples.ts';
import type { Customer } from './webhook-bodies.ts';
import { createPoster } from './webhooks.ts';
import type { Poster } from './webhooks.ts';

/** Everything that one sandbox holds; all of it lives in memory and ends with it. */
export type State = {
  accessToken: string;
  businessAccountId: string;
  phoneNumbers: readonly SandboxNumber[];
  templates: SandboxTemplate[];
  /** Known once it listens. */
  url: string;
  delays: Delays;
  limits: Limits;
  ids: Random;
  traces: Random;
  ledger: Ledger;
  faults: Faults;
  quota: Quota;
  media: MediaStore;
  poster: Poster;
  deliveries: Deliveries;
  /** By number and by business-scoped id. */
  customers: Map<string, Customer>;
  /** Milliseconds, by business number and customer. */
  lastWroteAt: Map<string, number>;
  /** Calls that are being answered. */
  handling: Set<Promise<void>>;
  isSubscribed: boolean;
  log: Logger;
};

const defaultDelays: Delays = { answerMs: 0, sentMs: 300, deliveredMs: 900, readMs: 4_000 };
const defaultLimits: Limits = {
  messagesPerSecond: null,
  pair: null,
  enforceWindow: false,
  usage: { percent: 1, minutesToRegain: 0 },
};

export function createState(options: SandboxOptions): State {
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 31);
  const { appSecret, webhookUrl, log, retry = { maxRetries: 0, firstPauseMs: 1_000 } } = options;
  const poster = createPoster({ appSecret, webhookUrl, retry, log });
  const ids = createRandom(seed, 'ids');

  return {
    accessToken: options.accessToken ?? 'SANDBOX-ACCESS-TOKEN',
    businessAccountId: options.businessAccountId ?? '100000000000001',
    phoneNumbers: options.phoneNumbers,
    templates: structuredClone([...(options.templates ?? sampleTemplates)]),
    url: '',
    delays: { ...defaultDelays, ...options.delays },
    limits: { ...defaultLimits, ...options.limits },
    ids,
    traces: createRandom(seed, 'traces'),
    ledger: createLedger(),
    faults: createFaults(createRandom(seed, 'faults')),
    quota: createQuota(),
    media: createMediaStore(createRandom(seed, 'media')),
    poster,
    deliveries: createDeliveries(),
    customers: new Map(),
    lastWroteAt: new Map(),
    handling: new Set(),
    isSubscribed: true,
    log,
  };
}
