import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Database } from '../db/database.ts';

/** `/healthz`: the process lives. `/readyz`: it can do its work; Redis is not needed for that. */
export function createHealthRoute(options: { db: Database; isStopping: () => boolean }) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    const path = request.url?.split('?')[0];
    if (path === '/healthz') return answer(response, 200, { status: 'ok' });
    if (path !== '/readyz') return false;
    if (options.isStopping()) return answer(response, 503, { status: 'stopping' });
    try {
      await options.db.pool.query('SELECT 1 FROM stream_head');
      return answer(response, 200, { status: 'ready' });
    } catch {
      return answer(response, 503, { status: 'the database is not available' });
    }
  };
}

function answer(response: ServerResponse, status: number, body: object): true {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
  return true;
}
