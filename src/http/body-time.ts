import type { IncomingMessage, ServerResponse } from 'node:http';

/** Ends a request whose body is not complete in time. */
export function limitBodyTime(request: IncomingMessage, response: ServerResponse, timeoutMs: number): void {
  const timer = setTimeout(() => {
    if (request.complete) return;
    if (!response.headersSent) response.writeHead(408, { connection: 'close' });
    response.end(() => request.destroy());
  }, timeoutMs);
  request.once('close', () => clearTimeout(timer));
}
