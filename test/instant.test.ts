import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, type Database } from '../src/db/database.ts';
import { parseInstant, writeInstant } from '../src/db/instant.ts';
import { createTestDatabase, type TestDatabase } from './support/database.ts';

const parseAny = pg.types.getTypeParser(1184, 'text');

describe('an instant as PostgreSQL writes it', () => {
  it.each([
    ['2026-01-31 12:34:56+00', '2026-01-31T12:34:56.000Z'],
    ['2026-01-31 12:34:56.7+00', '2026-01-31T12:34:56.700Z'],
    ['2026-01-31 12:34:56.789+00', '2026-01-31T12:34:56.789Z'],
    ['2026-01-31 12:34:56.789999+00', '2026-01-31T12:34:56.789Z'],
    ['2024-02-29 23:59:59.000001+00', '2024-02-29T23:59:59.000Z'],
    ['1000-01-01 00:00:00+00', '1000-01-01T00:00:00.000Z'],
    ['9999-12-31 23:59:59.999+00', '9999-12-31T23:59:59.999Z'],
  ])('%s is %s', (text, expected) => {
    expect((parseInstant(text) as Date).toISOString()).toBe(expected);
  });

  it.each([
    'infinity',
    '-infinity',
    '0099-12-31 00:00:00+00',
    '0001-01-01 00:00:00+00 BC',
    '10000-01-01 00:00:00+00',
    '2026-01-31 12:34:56+02',
    '2026-01-31 12:34:56.5-03:30',
  ])('%s is read by the driver', (text) => {
    expect(parseInstant(text)).toEqual(parseAny(text));
  });
});

it('is written as the language itself writes it', () => {
  fc.assert(
    fc.property(fc.date({ noInvalidDate: true }), (at) => {
      expect(writeInstant(at)).toBe(at.toISOString());
    }),
  );
});

describe('against PostgreSQL', () => {
  let database: TestDatabase;
  let db: Database;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = openDatabase({ url: database.url, poolSize: 1 });
  });

  afterAll(async () => {
    await db[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  it('every instant of whole milliseconds comes back as it was sent', async () => {
    const instants = fc.array(
      fc.date({ min: new Date('0001-01-02'), max: new Date('9999-12-30'), noInvalidDate: true }),
      { minLength: 300, maxLength: 300 },
    );
    for (const sent of fc.sample(instants, { numRuns: 10, seed: 6 })) {
      const { rows } = await db.pool.query<{ at: Date }>('SELECT unnest($1::timestamptz[]) AS at', [
        sent.map((at) => at.toISOString()),
      ]);
      expect(rows.map(({ at }) => at.getTime())).toEqual(sent.map((at) => at.getTime()));
    }
  });
});
