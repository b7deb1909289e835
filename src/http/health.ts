import type { IncomingMessage, ServerResponse } from 'node:http';

export type Readiness = {
  /** What keeps this process from its work, in a sentence; null: nothing. */
  problem(): Promise<string | null>;
  /** Without Redis everything goes on, only slower. */
  redis(): 'connected' | 'away' | 'not used';
  isStopping(): boolean;
};

/** `/healthz`: the process lives. `/readyz`: it can do its work; Redis is not needed for that. */
export function createHealthRoute(readiness: Readiness) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    const path = request.url?.split('?')[0];
    if (path === '/healthz') return answer(response, 200, { status: 'ok' });
    if (path !== '/readyz') return false;
    if (readiness.isStopping()) return answer(response, 503, { status: 'stopping' });
    const problem = await readiness.problem();
    if (problem !== null) return answer(response, 503, { status: problem });
    const redis = readiness.redis();
    return answer(response, 200, { status: redis === 'away' ? 'degraded' : 'ready', redis });
  };
}

function answer(response: ServerResponse, status: number, body: object): true {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
  return true;
}
