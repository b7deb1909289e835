import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';

const LOOPBACK = new Set(['127.0.0.1', '::1']);
const FROM_A_PROXY = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

/** `/metrics` for Prometheus: with the token where one is set, else for this machine alone. */
export function createMetricsRoute(options: {
  registry: Registry;
  token: string | undefined;
  addressOf: (request: IncomingMessage) => string;
}) {
  const { registry, token, addressOf } = options;
  return async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    if (request.url?.split('?')[0] !== '/metrics') return false;
    const isAllowed =
      token === undefined
        ? LOOPBACK.has(addressOf(request)) && !isForwarded(request)
        : isBearer(request.headers.authorization, token);
    if (!isAllowed) {
      response.writeHead(403, { 'content-type': 'text/plain; charset=utf-8' }).end('Not for everyone.');
      return true;
    }
    response.writeHead(200, { 'content-type': registry.contentType, 'cache-control': 'no-store' });
    response.end(await registry.metrics());
    return true;
  };
}

/** A proxy on this machine, trusted or not, asks for somebody else. */
function isForwarded({ headers }: IncomingMessage): boolean {
  return FROM_A_PROXY.some((name) => headers[name] !== undefined);
}

function isBearer(header: string | undefined, token: string): boolean {
  const told = Buffer.from(header ?? '');
  const expected = Buffer.from(`Bearer ${token}`);
  return told.length === expected.length && timingSafeEqual(told, expected);
}
