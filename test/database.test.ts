import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { expect, it } from 'vitest';
import { isAway } from '../src/db/availability.ts';
import { openDatabase } from '../src/db/database.ts';
import { sqlState } from '../src/db/transaction.ts';
import { createTestDatabase, runSql } from './support/database.ts';

/** Whoever waits longer for a connection is refused. */
const PATIENCE_MS = 5_000;

it('a connection that is made for somebody who has left serves the next one', async () => {
  await using database = await createTestDatabase();
  await using db = openDatabase({ url: database.url, poolSize: 1 });
  const only = await db.pool.connect();
  const waiting = db.pool.connect();
  await pause(PATIENCE_MS / 2);
  const blocker = new pg.Client({ connectionString: database.url });
  await blocker.connect();
  // A new connection looks at the head of the stream before it serves.
  await blocker.query('BEGIN; LOCK TABLE stream_head');
  only.release(new Error('broken'));

  await expect(waiting).rejects.toThrow('timeout');
  await blocker.query('ROLLBACK');
  await blocker.end();

  expect((await db.pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
});

it('a connection that PostgreSQL ends is away, whoever was asking by it', async () => {
  await using database = await createTestDatabase();
  await using db = openDatabase({ url: database.url, poolSize: 4 });
  const blocker = new pg.Client({ connectionString: database.url });
  await blocker.connect();
  await blocker.query('BEGIN; LOCK TABLE operator');
  const asking = Promise.allSettled([
    db.prisma.operator.findMany(),
    db.prisma.operator.findMany({ include: { savedFilters: true } }),
    db.pool.query('SELECT FROM operator'),
  ]);
  await pause(500);
  await runSql(
    database.url,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );

  const errors = (await asking).map((asked) => (asked.status === 'rejected' ? asked.reason : null));
  await blocker.end();

  expect(errors.map(sqlState)).toEqual(['57P01', '57P01', '57P01']);
  expect(errors.map(isAway)).toEqual([true, true, true]);
});
