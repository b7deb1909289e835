import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { SpanKind } from '@opentelemetry/api';

/** A span as it was told, with where it was recorded. */
export type CollectedSpan = {
  instance: string;
  name: string;
  kind: string;
  traceId: string;
  spanId: string;
  parentId: string | null;
  links: { traceId: string; spanId: string }[];
  attributes: Record<string, unknown>;
};

/** Takes OTLP over HTTP as JSON, and keeps what it is told. */
export type Collector = AsyncDisposable & {
  url: string;
  spans: CollectedSpan[];
  /** Everything as it came, for searching. */
  received(): string;
  requests: { path: string; headers: Record<string, unknown> }[];
};

type Value = { stringValue?: string; intValue?: number; boolValue?: boolean; arrayValue?: unknown };
type Pair = { key: string; value: Value };
type Told = {
  resourceSpans: {
    resource: { attributes: Pair[] };
    scopeSpans: {
      spans: {
        traceId: string;
        spanId: string;
        parentSpanId?: string;
        name: string;
        kind: number;
        attributes: Pair[];
        links?: { traceId: string; spanId: string }[];
      }[];
    }[];
  }[];
};

export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const bodies: string[] = [];
  const requests: Collector['requests'] = [];
  const server = createServer((request, response) => void take(request, response));

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await buffer(request)).toString();
    requests.push({ path: request.url ?? '', headers: request.headers });
    bodies.push(body);
    spans.push(...spansOf(JSON.parse(body) as Told));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server's address is an object.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    received: () => bodies.join('\n'),
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function spansOf({ resourceSpans }: Told): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const instance = String(valuesOf(resource.attributes)['service.instance.id']);
    return scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        instance,
        name: span.name,
        // OTLP counts from "unspecified", the library from "internal".
        kind: SpanKind[span.kind - 1] ?? '',
        traceId: span.traceId,
        spanId: span.spanId,
        parentId: span.parentSpanId || null,
        links: (span.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
        attributes: valuesOf(span.attributes),
      })),
    );
  });
}

function valuesOf(pairs: Pair[]): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]]));
}
