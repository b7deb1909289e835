import type { IncomingMessage, ServerResponse } from 'node:http';
import { isStream, routeOf } from '../http/route-name.ts';
import type { Metrics } from './metrics.ts';

/** Measures a request until its answer has ended or its connection is gone. */
export function measureAnswer(metrics: Metrics, request: IncomingMessage, response: ServerResponse): void {
  const startedAt = performance.now();
  response.once('close', () => {
    if (isStream(request.headers)) return;
    // 499: the client went away before there was an answer.
    const status = response.headersSent ? response.statusCode : 499;
    metrics.answered(routeOf(request.url ?? ''), status, (performance.now() - startedAt) / 1000);
  });
}
