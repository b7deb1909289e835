import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Metrics } from './metrics.ts';

/** Names of routes by the beginning of their path: few values, whatever is asked for. */
const ROUTES = ['/graphql', '/webhooks/whatsapp', '/files', '/healthz', '/readyz', '/metrics'];

/** Measures a request until its answer has ended or its connection is gone. */
export function measureAnswer(metrics: Metrics, request: IncomingMessage, response: ServerResponse): void {
  const startedAt = performance.now();
  response.once('close', () => {
    // A stream stays open as long as its client likes.
    if (request.headers.accept?.includes('text/event-stream')) return;
    // 499: the client went away before there was an answer.
    const status = response.headersSent ? response.statusCode : 499;
    metrics.answered(routeOf(request.url ?? ''), status, (performance.now() - startedAt) / 1000);
  });
}

function routeOf(url: string): string {
  return ROUTES.find((route) => url.startsWith(route)) ?? 'other';
}
