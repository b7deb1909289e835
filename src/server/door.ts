import type { IncomingMessage } from 'node:http';
import type { Env } from '../env.ts';
import { createRates, type Rates } from '../execution/rates.ts';
import { createAddressOf } from '../transport/address.ts';

/** Who knocks, from where, and how often they may: the same for every route. */
export type Door = {
  rates: Rates;
  addressOf: (request: IncomingMessage) => string;
  /** Requests without an origin are not a browser's. */
  isOriginAllowed: (origin: string | undefined) => boolean;
};

export function createDoor(env: Env, undo: AsyncDisposableStack): Door {
  const rates = createRates({
    redisUrl: env.redisUrl,
    perMinute: env.rateLimitPerMinute,
    perAddressAndMinute: env.addressRateLimitPerMinute,
    webhooksPerSecond: env.webhookRateLimitPerSecond,
  });
  return {
    rates: undo.use(rates),
    addressOf: createAddressOf(env.trustedProxies),
    isOriginAllowed: originCheck(env),
  };
}

/** The server's own pages are its own origin. */
function originCheck(env: Env): (origin: string | undefined) => boolean {
  const allowed = new Set([
    ...env.corsOrigins,
    new URL(env.publicUrl).origin,
    `http://localhost:${env.port}`,
    `http://127.0.0.1:${env.port}`,
  ]);
  return (origin) => origin === undefined || allowed.has(origin);
}
