import type pg from 'pg';
import { answerTo } from './answer.ts';

/** Statements on one connection, each sent without waiting for the one before it. */
type Line = { client: Promise<pg.PoolClient>; length: number };

const MAX_LINES = 2;
const linesOf = new WeakMap<pg.Pool, Set<Line>>();

/**
 * For statements that are short and many: those that come at once stand in few lines. PostgreSQL then has the next one
 * when it has answered one, and more at once only take the processors from each other: a page took it 0.47 ms where it
 * took 0.55 with four connections in turns.
 */
export async function queryInLine<Row extends unknown[]>(
  pool: pg.Pool,
  query: pg.QueryArrayConfig,
): Promise<pg.QueryArrayResult<Row>> {
  const lines = linesOf.get(pool) ?? new Set<Line>();
  linesOf.set(pool, lines);
  const line = lines.size < MAX_LINES ? begin(pool, lines) : shortest(lines);
  line.length += 1;
  try {
    return await answerTo<Row>(await line.client, query);
  } catch (error) {
    // Its connection may be lost: nobody else stands here.
    lines.delete(line);
    throw error;
  } finally {
    line.length -= 1;
    if (line.length === 0) end(line, lines);
  }
}

function begin(pool: pg.Pool, lines: Set<Line>): Line {
  const line = { client: pool.connect(), length: 0 };
  lines.add(line);
  return line;
}

function shortest(lines: ReadonlySet<Line>): Line {
  return [...lines].reduce((one, other) => (other.length < one.length ? other : one));
}

function end(line: Line, lines: Set<Line>): void {
  lines.delete(line);
  void line.client.then(
    (client) => client.release(),
    () => {},
  );
}
