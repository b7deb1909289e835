import { DatabaseError, type PoolClient, type QueryResult, type QueryResultRow } from 'pg';
import { Prisma } from '../generated/prisma/client.ts';
import { answerTo } from './answer.ts';
import type { Database } from './database.ts';
import { appendAndCommit, type NewEvent } from './event-log.ts';

/** A hand-written statement. A named one is prepared once per connection. */
export type Statement = { name?: string; text: string };

export type Transaction = {
  /** The instant of this transaction on our clock, the same for everything in it. */
  now: Date;
  /** The trace that it belongs to, as W3C traceparent; null where nothing is recorded. */
  trace: string | null;
  /** Statements that are given without waiting for each other's answers travel together. */
  query<Row extends QueryResultRow>(statement: string | Statement, values?: unknown[]): Promise<Row[]>;
  /** A statement whose answer nobody needs: it travels with the next one, and nothing is committed if it fails. */
  send(statement: string | Statement, values?: unknown[]): void;
  /** Where this part of the work fails, nothing of it remains, and the rest can go on. */
  savepoint<T>(work: () => Promise<T>): Promise<T>;
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
  const { tx, events, settle, causeOf } = openTransaction(client, db.presentTrace());
  let failed: unknown;
  try {
    tx.send(BEGIN);
    const result = await work(tx);
    // The commit travels with the rest: PostgreSQL commits nothing after a failure.
    const [logged] = await Promise.all([appendAndCommit(client, events, tx.trace), settle()]);
    if (logged.length > 0) db.onCommitted(logged);
    return result;
  } catch (error) {
    const cause = causeOf(error);
    failed = await rollback(client, cause);
    throw cause;
  } finally {
    client.release(failed instanceof Error ? failed : undefined);
  }
}

type Open = {
  tx: Transaction;
  events: NewEvent[];
  /** Waits for what was sent. */
  settle: () => Promise<void>;
  /** After a statement that failed PostgreSQL refuses all others: the first failure is the cause of theirs. */
  causeOf: (error: unknown) => unknown;
};

function openTransaction(client: PoolClient, trace: string | null): Open {
  const events: NewEvent[] = [];
  const sent: Promise<unknown>[] = [];
  let failures: unknown[] = [];
  const causeOf = (error: unknown) => failures[0] ?? error;

  const tx: Transaction = {
    now: new Date(),
    trace,
    query: async (statement, values) => (await run(statement, values)).rows,
    send: (statement, values) => void sent.push(run(statement, values).catch((error) => failures.push(error))),
    savepoint,
    append: (...more) => void events.push(...more),
  };
  return { tx, events, settle, causeOf };

  function run(statement: string | Statement, values: unknown[] = []): Promise<QueryResult> {
    return answerTo(client, { ...(typeof statement === 'string' ? { text: statement } : statement), values });
  }

  async function settle(): Promise<void> {
    await Promise.all(sent.splice(0));
    if (failures.length > 0) throw failures[0];
  }

  async function savepoint<T>(work: () => Promise<T>): Promise<T> {
    await settle();
    const { length } = events;
    await run('SAVEPOINT part');
    try {
      const result = await work();
      await settle();
      await run('RELEASE SAVEPOINT part');
      return result;
    } catch (error) {
      await Promise.all(sent.splice(0));
      const cause = causeOf(error);
      failures = [];
      events.length = length;
      await run('ROLLBACK TO SAVEPOINT part');
      throw cause;
    }
  }
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
  return REPEATABLE.has(sqlState(error) ?? '') || isRace(error);
}

// unique_violation where two writers store the same message of Meta's at once: who comes second finds it now.
function isRace(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '23505' && error.constraint === 'message_provider_id_key';
}

/** The five-character code of PostgreSQL's error, also where Prisma told it, or null for any other error. */
export function sqlState(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  const code = error instanceof Prisma.PrismaClientKnownRequestError ? codeBehind(error) : error.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}

/** Prisma's own codes look like PostgreSQL's. */
function codeBehind({ meta }: Prisma.PrismaClientKnownRequestError): unknown {
  const told = meta?.driverAdapterError as { cause?: { originalCode?: unknown } } | undefined;
  return told?.cause?.originalCode;
}
