import pg from 'pg';

/** How many statements the servers of this process hand to PostgreSQL while the work runs. Nothing else may run beside it. */
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
  return statements;
}
