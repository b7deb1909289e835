import pg from 'pg';
import { byItself } from './statements.ts';

/** The statements that the servers of this process hand to PostgreSQL while the work runs, without what comes at its own times. */
export async function countStatements(work: () => Promise<unknown>): Promise<string[]> {
  const statements: string[] = [];
  const { prototype } = pg.Client;
  // Bound anew to each client below.
  const original: unknown = Reflect.get(prototype, 'query');
  if (typeof original !== 'function') throw new Error('the driver has no query to count');
  const counting = function (this: pg.Client, ...args: unknown[]): unknown {
    const [first] = args;
    statements.push(typeof first === 'string' ? first : String((first as { text?: unknown } | null)?.text));
    return Reflect.apply(original, this, args);
  };
  Reflect.set(prototype, 'query', counting);
  try {
    await work();
  } finally {
    Reflect.set(prototype, 'query', original);
  }
  return statements.filter((statement) => !byItself.test(statement));
}
