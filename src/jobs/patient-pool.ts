import type { Pool, PoolClient } from 'pg';
import { isAway } from '../db/availability.ts';

/** cannot_connect_now: the server is starting. */
const STARTING = '57P03';

/**
 * The pool as the job queue's library uses it. It notes the end of a job without waiting for that, and repeats it only where
 * the server is starting: any other error would be nobody's and end the process. So whatever keeps the database away is
 * told as that.
 */
export function patientPool(pool: Pool): Pool {
  return new Proxy(pool, {
    get: (target, name) => (name === 'connect' ? connect : boundOf(target, name)),
  });

  // The library listens by a callback, and deals with the errors of that itself.
  function connect(...[listen]: Parameters<Pool['connect']> | []) {
    return listen ? pool.connect(listen) : patiently(() => pool.connect()).then(patientClient);
  }
}

function patientClient(client: PoolClient): PoolClient {
  return new Proxy(client, {
    get: (target, name) =>
      name === 'query'
        ? (...args: Parameters<PoolClient['query']>) => patiently(async () => target.query(...args))
        : boundOf(target, name),
  });
}

async function patiently<T>(work: () => Promise<T>): Promise<T> {
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
