import type { IncomingMessage, ServerResponse } from 'node:http';
import { CSRF_HEADER_LIST } from './upload.ts';

/** Only listed origins may read answers; others get none of CORS' headers, and a preflight fails. */
export function allowOrigin(
  isOriginAllowed: (origin: string | undefined) => boolean,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { origin } = request.headers;
  if (origin && isOriginAllowed(origin)) {
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-expose-headers', 'x-request-id, retry-after');
    response.setHeader('vary', 'Origin');
  }
  if (request.method !== 'OPTIONS') return true;
  response.setHeader('access-control-allow-methods', 'GET, POST');
  response.setHeader('access-control-allow-headers', `authorization, content-type, last-event-id, ${CSRF_HEADER_LIST}`);
  response.setHeader('access-control-max-age', '600');
  response.writeHead(204).end();
  return false;
}
