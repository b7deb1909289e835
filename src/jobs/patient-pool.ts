import { setTimeout as pause } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { isAway } from '../db/availability.ts';

/** The pool as the job queue's library uses it: it bears a database that is away for a while. */
export type PatientPool = {
  pool: Pool;
  /**
   * From now on it waits a moment only. Settles where the database was still away then: what the library has not finished
   * by now it never will.
   */
  hurry: () => Promise<void>;
};

/** cannot_connect_now: the server is starting. */
const STARTING = '57P03';
const RETRY_MS = 250;
const LAST_PATIENCE_MS = 3_000;

/**
 * The library notes the end of a job without waiting for that, and an error of it would be nobody's and end the process. So
 * it gets no connection until there is one, and a connection that breaks is told as the one kind of error after which it
 * asks for another.
 */
export function patientPool(pool: Pool): PatientPool {
  const abandoned = Promise.withResolvers<void>();
  let patientUntil = Number.POSITIVE_INFINITY;
  return {
    pool: new Proxy(pool, {
      get: (target, name) => (name === 'connect' ? connect : boundOf(target, name)),
    }),
    hurry() {
      patientUntil = Date.now() + LAST_PATIENCE_MS;
      return abandoned.promise;
    },
  };

  // The library listens by a callback, and deals with the errors of that itself.
  function connect(...[listen]: Parameters<Pool['connect']> | []) {
    return listen ? pool.connect(listen) : connectPatiently();
  }

  async function connectPatiently(): Promise<PoolClient> {
    for (;;) {
      try {
        return patientClient(await pool.connect());
      } catch (error) {
        if (!isAway(error)) throw error;
      }
      if (Date.now() > patientUntil) return abandon();
      await pause(RETRY_MS);
    }
  }

  /** Whoever asked waits for ever, which keeps nothing alive. */
  function abandon(): Promise<never> {
    abandoned.resolve();
    return new Promise(() => {});
  }
}

function patientClient(client: PoolClient): PoolClient {
  return new Proxy(client, {
    get: (target, name) =>
      name === 'query'
        ? (...args: Parameters<PoolClient['query']>) => asStarting(async () => target.query(...args))
        : boundOf(target, name),
  });
}

async function asStarting<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isAway(error) || !(error instanceof Error)) throw error;
    throw Object.assign(new Error(error.message, { cause: error }), { code: STARTING });
  }
}

function boundOf(target: object, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name);
  return typeof value === 'function' ? value.bind(target) : value;
}
