import type pg from 'pg';

/**
 * As `client.query`, which gets its answer by a function that it assigns to a property. V8 makes such a function among
 * the old objects, and so all rows that it led to outlived the next collection of the young ones: under load three
 * quarters of what did, and a collection took 6 ms instead of 3.
 */
export function answerTo<Row extends pg.QueryResultRow>(
  client: pg.ClientBase,
  query: pg.QueryConfig,
): Promise<pg.QueryResult<Row>>;
export function answerTo<Row extends unknown[]>(
  client: pg.ClientBase,
  query: pg.QueryArrayConfig,
): Promise<pg.QueryArrayResult<Row>>;
export function answerTo(client: pg.ClientBase, query: pg.QueryConfig): Promise<pg.QueryResult> {
  const answer = new Promise<pg.QueryResult>((resolve, reject) => {
    client.query(query, (error: Error | null, result) => (error ? reject(error) : resolve(result)));
  });
  return answer.catch(placeHere);
}

/** With the way to whoever asked, not to the socket. */
function placeHere(error: Error): never {
  Error.captureStackTrace(error);
  throw error;
}
