import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { expect, it } from 'vitest';
import { patientPool } from '../src/jobs/patient-pool.ts';
import { startCuttableDatabase } from './support/cuttable.ts';
import { createTestDatabase, runSql } from './support/database.ts';

/** For which the job queue tries again. */
const STARTING = { code: '57P03' };

it('a connection that PostgreSQL ends is told as one to try again; a mistake of ours stays what it is', async () => {
  await using database = await createTestDatabase();
  const pool = new pg.Pool({ connectionString: database.url, max: 1 });
  pool.on('error', () => {});
  const client = await patientPool(pool).pool.connect();
  client.on('error', () => {});
  await expect(client.query('SELECT nonsense')).rejects.toMatchObject({ code: '42703' });
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');

  const [ended] = await Promise.allSettled([
    client.query('SELECT pg_sleep(30)'),
    runSql(database.url, 'SELECT pg_terminate_backend($1)', [rows[0]?.pid]),
  ]);

  expect(ended).toMatchObject({ status: 'rejected', reason: STARTING });
  await expect(client.query('SELECT 1')).rejects.toMatchObject(STARTING);
  client.release(true);
  await pool.end();
});

it('a server that cannot be reached is waited for', async () => {
  await using database = await createTestDatabase();
  await using way = await startCuttableDatabase(database.url);
  const pool = new pg.Pool({ connectionString: way.url, max: 1 });
  way.cut();
  const connecting = patientPool(pool).pool.connect();

  expect(await Promise.race([connecting, pause(1_000, 'waits')])).toBe('waits');
  way.mend();
  const client = await connecting;

  expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  client.release();
  await pool.end();
});

it('who is in a hurry learns that it is away, and nothing fails by that', async () => {
  await using database = await createTestDatabase();
  await using way = await startCuttableDatabase(database.url);
  const { pool, hurry } = patientPool(new pg.Pool({ connectionString: way.url, max: 1 }));
  way.cut();
  const connecting = pool.connect();

  await hurry();

  expect(await Promise.race([connecting, pause(500, 'waits')])).toBe('waits');
  await pool.end();
});
