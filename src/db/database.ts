import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from '../generated/prisma/client.ts';
import type { LoggedEvent } from './event-log.ts';
import { parseInstant } from './instant.ts';
import { checkContinuity } from './stream-head.ts';

/** One pool for Prisma and for the hand-written statements; it ends with `await using` or `end()`. */
export type Database = AsyncDisposable & {
  pool: pg.Pool;
  prisma: PrismaClient;
  /** Called with the events of each transaction of this process after its commit. It must not throw. */
  onCommitted: (events: LoggedEvent[]) => void;
  /** The trace that the present work belongs to, as W3C traceparent; null where nothing is recorded. */
  presentTrace: () => string | null;
};

const INT8_OID = 20;
const TIMESTAMPTZ_OID = 1184;

const parsers = new Map<number, (text: string) => unknown>([
  // Every bigint of ours (sequences, counts) stays far below 2^53, and a number spares a conversion per row.
  [INT8_OID, Number],
  // A list parses hundreds of instants, which took more of its time than all resolvers.
  [TIMESTAMPTZ_OID, parseInstant],
]);

// The driver's type is an overloaded function, which no single arrow function satisfies.
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format: 'text' | 'binary') =>
    (format === 'binary' ? undefined : parsers.get(oid)) ??
    pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

const settings = [
  // A frozen process that holds the head of the stream would block every writer.
  'idle_in_transaction_session_timeout=2000',
  // A forced generic plan went parallel and took 40-59 ms instead of 4.
  'max_parallel_workers_per_gather=0',
  'lock_timeout=5000',
  'timezone=UTC',
];

/** The pool waits for the promise of `onConnect`, which its types do not say. */
type PoolConfig = pg.PoolConfig & { onConnect: (client: pg.ClientBase) => Promise<void> };

export function openDatabase(options: { url: string; poolSize: number; applicationName?: string }): Database {
  const config: PoolConfig = {
    connectionString: options.url,
    max: options.poolSize,
    application_name: options.applicationName ?? 'cdesk-chats',
    options: settings.map((setting) => `-c ${setting}`).join(' '),
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    // Statements of one connection that do not wait for each other travel together.
    pipeline: true,
    types,
    // Not its `verify`, which loses the connection where who waited for it has given up in the meantime.
    onConnect: checkContinuity,
  };
  const pool = new pg.Pool(config);
  // An idle connection that PostgreSQL ends is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    pool,
    prisma,
    onCommitted: () => {},
    presentTrace: () => null,
    async [Symbol.asyncDispose]() {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}
