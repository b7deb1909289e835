import { isRepeatable, sqlState } from './transaction.ts';

// Connection, insufficient resources, operator intervention: no smaller piece would fare better.
const AWAY_CLASSES = new Set(['08', '53', '57', '58']);

// Of Prisma: not reached, timed out, closed, no connection free.
const PRISMA_AWAY = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024']);

/** True where the database is away or overloaded rather than refusing what it was given. */
export function isAway(error: unknown): boolean {
  const state = sqlState(error);
  if (state) return AWAY_CLASSES.has(state.slice(0, 2)) || isRepeatable(error);
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return (
    PRISMA_AWAY.has(code) ||
    /timeout|terminated|ECONN|connect|EPIPE|ENOENT|not queryable/i.test(`${error.message} ${code}`)
  );
}
