import type { IncomingMessage, ServerResponse } from 'node:http';
import { isStream, routeOf } from '../http/route-name.ts';
import { noTracing, type Tracing } from './tracing.ts';

/** Nobody asks where a look at the health came from. */
const UNTRACED: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/** Answers a request as a span of the caller's trace, or of a new one. */
export function traceAnswer(
  tracing: Tracing,
  request: IncomingMessage,
  response: ServerResponse,
  answer: () => Promise<void>,
): Promise<void> {
  if (tracing === noTracing) return answer();
  const route = routeOf(request.url ?? '');
  if (UNTRACED.has(route) || isStream(request.headers)) return answer();
  const { method = '', headers } = request;
  const after = typeof headers.traceparent === 'string' ? headers.traceparent : null;
  const attributes = { 'http.request.method': method, 'http.route': route };
  return tracing.span({ name: `${method} ${route}`, kind: 'server', after, attributes }, async (span) => {
    await answer();
    span.setAttribute('http.response.status_code', response.statusCode);
    const requestId = response.getHeader('x-request-id');
    if (typeof requestId === 'string') span.setAttribute('cdesk.request.id', requestId);
  });
}
