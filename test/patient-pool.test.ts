import pg from 'pg';
import { expect, it } from 'vitest';
import { patientPool } from '../src/jobs/patient-pool.ts';
import { createTestDatabase, runSql } from './support/database.ts';
import { freePort } from './support/free-port.ts';

/** For which the job queue tries again. */
const STARTING = { code: '57P03' };

it('a connection that PostgreSQL ends is told as one to try again', async () => {
  await using database = await createTestDatabase();
  const pool = new pg.Pool({ connectionString: database.url, max: 1 });
  pool.on('error', () => {});
  const client = await patientPool(pool).connect();
  client.on('error', () => {});
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

it('so is a server that cannot be reached; a mistake of ours stays what it is', async () => {
  await using database = await createTestDatabase();
  const away = patientPool(new pg.Pool({ host: '127.0.0.1', port: await freePort() }));
  const there = new pg.Pool({ connectionString: database.url, max: 1 });
  const client = await patientPool(there).connect();

  await expect(away.connect()).rejects.toMatchObject(STARTING);
  await expect(client.query('SELECT nonsense')).rejects.toMatchObject({ code: '42703' });
  client.release();
  await there.end();
});
