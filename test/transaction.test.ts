import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openDatabase, type Database } from '../src/db/database.ts';
import type { NewEvent } from '../src/db/event-log.ts';
import { transaction } from '../src/db/transaction.ts';
import { createTestDatabase } from './support/database.ts';

const stack = new AsyncDisposableStack();
let db: Database;
let told: number;

const insert = 'INSERT INTO kept (n) VALUES ($1)';
const event: NewEvent = { type: 'UNREAD_CHANGED', occurredAt: new Date() };

beforeAll(async () => {
  db = stack.use(openDatabase({ url: stack.use(await createTestDatabase()).url, poolSize: 2 }));
  await db.pool.query('CREATE TABLE kept (n int PRIMARY KEY)');
  db.onCommitted = (events) => void (told += events.length);
});

beforeEach(async () => {
  told = 0;
  await db.pool.query('TRUNCATE kept');
});

afterAll(() => stack.disposeAsync());

async function kept(): Promise<number[]> {
  const { rows } = await db.pool.query<{ n: number }>('SELECT n FROM kept ORDER BY n');
  return rows.map(({ n }) => n);
}

it('commits what it was given, and tells its events afterwards', async () => {
  await transaction(db, async (tx) => {
    tx.send(insert, [1]);
    await tx.query(insert, [2]);
    tx.append(event);
    expect(told).toBe(0);
  });

  expect(await kept()).toEqual([1, 2]);
  expect(told).toBe(1);
});

it.each([true, false])(
  'keeps nothing where a statement that nobody waits for fails (with events: %s)',
  async (tells) => {
    const work = transaction(db, async (tx) => {
      await tx.query(insert, [1]);
      if (tells) tx.append(event);
      tx.send(insert, [1]);
    });

    await expect(work).rejects.toThrow(/kept_pkey/);
    expect(await kept()).toEqual([]);
    expect(told).toBe(0);
  },
);

it('says so where a failure was passed over and PostgreSQL therefore committed nothing', async () => {
  const work = transaction(db, async (tx) => {
    await tx.query(insert, [1]);
    await tx.query(insert, [1]).catch(() => {});
  });

  await expect(work).rejects.toThrow('nothing was committed');
  expect(await kept()).toEqual([]);
});

it('goes on without a part that failed, and without the events of that part', async () => {
  await transaction(db, async (tx) => {
    tx.send(insert, [1]);
    tx.append(event);
    const part = tx.savepoint(async () => {
      tx.append(event, event);
      tx.send(insert, [2]);
      await tx.query(insert, [1]);
    });
    await expect(part).rejects.toThrow(/kept_pkey/);
    tx.send(insert, [3]);
  });

  expect(await kept()).toEqual([1, 3]);
  expect(told).toBe(1);
});

it('runs again where it lost a race', async () => {
  let attempts = 0;

  await transaction(db, async (tx) => {
    attempts += 1;
    await tx.query(insert, [attempts]);
    if (attempts === 1) await tx.query(`DO $$ BEGIN RAISE serialization_failure; END $$`);
  });

  expect(attempts).toBe(2);
  expect(await kept()).toEqual([2]);
});

it('leaves its connection usable, whatever happened', async () => {
  const failing = Array.from({ length: 10 }, () =>
    transaction(db, async (tx) => {
      tx.send('SELECT 1 / 0');
    }),
  );

  await expect(Promise.allSettled(failing)).resolves.toHaveLength(10);
  await transaction(db, async (tx) => tx.send(insert, [1]));
  expect(await kept()).toEqual([1]);
});
