import type { PoolClient, QueryResultRow } from 'pg';
import type { Database } from './database.ts';
import { appendAndCommit, type NewEvent } from './event-log.ts';

/** A hand-written statement. A named one is prepared once per connection. */
export type Statement = { name?: string; text: string };

export type Transaction = {
  /** The instant of this transaction on our clock, the same for everything in it. */
  now: Date;
  /** The trace that it belongs to, as W3C traceparent; null where nothing is recorded. */
  trace: string | null;
  query<Row extends QueryResultRow>(statement: string | Statement, values?: unknown[]): Promise<Row[]>;
  /** Events of the change, in order. They are written last, in the round trip of the commit. */
  append(...events: NewEvent[]): void;
};

// serialization_failure, deadlock_detected, lock_not_available: nothing was changed, the same work may succeed now.
const REPEATABLE = new Set(['40001', '40P01', '55P03']);
const MAX_ATTEMPTS = 4;

// Writers look rows up by index. A plan that was made while a table was small would read all of it for as long as the
// plan is kept: a batch of 64 webhooks took 275 ms after ten thousand messages, and 67 with indexes.
const BEGIN = 'BEGIN; SET LOCAL enable_seqscan = off';

/**
 * Runs `work` in one transaction of PostgreSQL, again when it lost a race. `work` must therefore do nothing but
 * talk to the database: no call to Meta, no Redis, no state of its own that outlives an attempt.
 */
export async function transaction<T>(db: Database, work: (tx: Transaction) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptTransaction(db, work);
    } catch (error) {
      if (attempt >= MAX_ATTEMPTS || !isRepeatable(error)) throw error;
    }
  }
}

async function attemptTransaction<T>(db: Database, work: (tx: Transaction) => Promise<T>): Promise<T> {
  const client = await db.pool.connect();
  let failed: unknown;
  try {
    await client.query(BEGIN);
    const events: NewEvent[] = [];
    const tx = openTransaction(client, events, db.presentTrace());
    const result = await work(tx);
    const logged = await appendAndCommit(client, events, tx.trace);
    if (logged.length > 0) db.onCommitted(logged);
    return result;
  } catch (error) {
    failed = await rollback(client, error);
    throw error;
  } finally {
    client.release(failed instanceof Error ? failed : undefined);
  }
}

function openTransaction(client: PoolClient, events: NewEvent[], trace: string | null): Transaction {
  return {
    now: new Date(),
    trace,
    async query(statement, values) {
      const config = typeof statement === 'string' ? { text: statement } : statement;
      return (await client.query({ ...config, values: values ?? [] })).rows;
    },
    append: (...more) => void events.push(...more),
  };
}

/** Gives back the error that broke the connection, so that the pool drops it, or nothing when it is usable. */
async function rollback(client: PoolClient, cause: unknown): Promise<unknown> {
  try {
    await client.query('ROLLBACK');
    return undefined;
  } catch {
    return cause;
  }
}

export function isRepeatable(error: unknown): boolean {
  return REPEATABLE.has(sqlState(error) ?? '');
}

/** The five-character code of PostgreSQL's error, or null for any other error. */
export function sqlState(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : null;
}
