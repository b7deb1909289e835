import { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { Refusal } from '../errors.ts';
import type { LimitName } from './limits.ts';

/** How often something may be done, counted over all processes; by each for itself while Redis is away. */
export type Rates = AsyncDisposable & {
  /** Before the credential is looked at: one for each request or socket of an address. */
  knock(address: string): Promise<void>;
  /** Points for an operation of this actor, by the work that it makes. */
  spend(actor: string, work: Work): Promise<void>;
  /** Seconds to wait where an address sends webhooks faster than it may; null otherwise. */
  webhook(address: string): Promise<number | null>;
};

/** `tokens` are those of a document that was not known: to validate two thousand takes up to a tenth of a second. */
export type Work = { complexity: number; tokens: number };

export type RateOptions = {
  redisUrl: string | undefined;
  /** Points of one actor in a minute; 0 switches the limit off, as for the others. */
  perMinute: number;
  perAddressAndMinute: number;
  webhooksPerSecond: number;
};

const COMPLEXITY_PER_POINT = 50;
const TOKENS_PER_POINT = 20;
const RECONNECT_MS = 1_000;

export function createRates(options: RateOptions): Rates {
  const redis = options.redisUrl ? connect(options.redisUrl) : null;
  const operations = limiter(redis, 'operations', options.perMinute, 60);
  const addresses = limiter(redis, 'addresses', options.perAddressAndMinute, 60);
  // A flood is stopped where it arrives, without asking anybody.
  const webhooks = limiter(null, 'webhooks', options.webhooksPerSecond, 1);

  return {
    async knock(address) {
      const seconds = await wait(addresses, address, 1);
      if (seconds !== null) throw tooOften('address', 'This address asks too often.', seconds);
    },
    async spend(actor, { complexity, tokens }) {
      const points = 1 + Math.ceil(complexity / COMPLEXITY_PER_POINT) + Math.floor(tokens / TOKENS_PER_POINT);
      const seconds = await wait(operations, actor, points);
      if (seconds !== null) throw tooOften('operations', 'Too many operations in a minute.', seconds);
    },
    webhook: (address) => wait(webhooks, address, 1),
    async [Symbol.asyncDispose]() {
      redis?.disconnect();
    },
  };
}

function connect(url: string): Redis {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: RECONNECT_MS,
    retryStrategy: () => RECONNECT_MS,
  });
  redis.on('error', () => {});
  redis.connect().catch(() => {});
  return redis;
}

function limiter(redis: Redis | null, name: string, points: number, duration: number): RateLimiterAbstract | null {
  if (points === 0) return null;
  const common = { keyPrefix: `cdesk-chats:rate:${name}`, points, duration };
  const insurance = new RateLimiterMemory(common);
  if (!redis) return insurance;
  return new RateLimiterRedis({
    ...common,
    storeClient: redis,
    insuranceLimiter: insurance,
    rejectIfRedisNotReady: true,
    // Who is over the limit is not looked up again and again.
    inMemoryBlockOnConsumed: points + 1,
  });
}

async function wait(limit: RateLimiterAbstract | null, key: string, points: number): Promise<number | null> {
  try {
    await limit?.consume(key, points);
    return null;
  } catch (refused) {
    if (!(refused instanceof RateLimiterRes)) throw refused;
    return Math.max(1, Math.ceil(refused.msBeforeNext / 1000));
  }
}

function tooOften(limit: LimitName, message: string, retryAfterSeconds: number): Refusal {
  return new Refusal('RATE_LIMITED', `${message} Try again in ${retryAfterSeconds} seconds.`, {
    limit,
    retryAfterSeconds,
  });
}
