import { expect, it } from 'vitest';
import { openDatabase, type Database } from '../src/db/database.ts';
import { queryInLine } from '../src/db/lines.ts';
import { createTestDatabase, runSql } from './support/database.ts';

const numbers = Array.from({ length: 30 }, (_, index) => index);

async function ask({ pool }: Database, text: string, values: unknown[]): Promise<unknown> {
  const { rows } = await queryInLine(pool, { name: text, text, values, rowMode: 'array' });
  return rows[0]?.[0];
}

it('statements that come at once share two connections, and each gets its own answer', async () => {
  await using database = await createTestDatabase();
  await using db = openDatabase({ url: database.url, poolSize: 10 });

  const answers = await Promise.all(numbers.map((number) => ask(db, 'SELECT $1::int', [number])));

  expect(answers).toEqual(numbers);
  expect(db.pool).toMatchObject({ totalCount: 2, idleCount: 2 });
});

it('a statement that fails does so alone', async () => {
  await using database = await createTestDatabase();
  await using db = openDatabase({ url: database.url, poolSize: 10 });

  const answers = await Promise.allSettled(numbers.map((number) => ask(db, 'SELECT 100 / $1::int', [number])));

  expect(answers.map(({ status }) => status)).toEqual(
    numbers.map((number) => (number === 0 ? 'rejected' : 'fulfilled')),
  );
});

it('nobody stands in a line whose connection was lost', async () => {
  await using database = await createTestDatabase();
  await using db = openDatabase({ url: database.url, poolSize: 10 });
  const waiting = Promise.allSettled(numbers.map(() => ask(db, 'SELECT 1 FROM pg_sleep($1)', [30])));
  await expect.poll(() => db.pool.totalCount).toBe(2);
  await runSql(
    database.url,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );

  const answers = (await waiting).map(({ status }) => status);

  expect(new Set(answers)).toEqual(new Set(['rejected']));
  expect(await ask(db, 'SELECT $1::int', [7])).toBe(7);
});
