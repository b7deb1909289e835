import { AsyncLocalStorage } from 'node:async_hooks';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Context, type Link, type Span } from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { v7 as uuid } from 'uuid';
import type { Log } from '../log.ts';
import { createExporter } from './exporter.ts';
import type { NewSpan, TraceParent, Tracing } from './tracing.ts';

const SEND_EVERY_MS = 2_000;
/** A batch follows from as many deliveries. */
const MAX_LINKS = 1_000;

const kinds = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

export type RecordingOptions = {
  /** Of the collector, without a path: OTLP over HTTP. */
  endpoint: string;
  headers: Record<string, string>;
  serviceName: string;
  /** Of the traces, 0 to 1. */
  share: number;
  log: Log;
};

/** Nothing of it is global: several servers in one process record each for itself. */
export function startRecording(options: RecordingOptions): Tracing {
  const provider = createProvider(options);
  const tracer = provider.getTracer('cdesk-chats');
  const contexts = new AsyncLocalStorage<Context>();

  return {
    async span(asked, work) {
      const { span, context } = begin(asked);
      return contexts.run(context, async () => {
        try {
          return await work(span);
        } catch (error) {
          fail(span, error);
          throw error;
        } finally {
          span.end();
        }
      });
    },
    note: (asked) => begin(asked, asked.startedAt).span.end(),
    present() {
      const span = presentSpan();
      return span ? traceParentOf(span) : null;
    },
    link(other) {
      const span = presentSpan();
      const [link] = linksTo(other ? [other] : []);
      if (span && link && link.context.traceId !== span.spanContext().traceId) span.addLink(link);
    },
    // What cannot be delivered was said already; nobody's end waits for it.
    [Symbol.asyncDispose]: () => provider.shutdown().catch(() => {}),
  };

  function begin({ name, kind, after, links, attributes = {} }: NewSpan, startTime?: Date) {
    const parent = after === undefined ? (contexts.getStore() ?? ROOT_CONTEXT) : contextOf(after);
    const told = { attributes, links: linksTo(links ?? []), ...(kind && { kind: kinds[kind] }) };
    const span = tracer.startSpan(name, { ...told, ...(startTime && { startTime }) }, parent);
    return { span, context: trace.setSpan(parent, span) };
  }

  function presentSpan(): Span | null {
    const span = trace.getSpan(contexts.getStore() ?? ROOT_CONTEXT);
    return span?.isRecording() ? span : null;
  }
}

function createProvider({ serviceName, share, ...options }: RecordingOptions): TracerProvider {
  const byTraceId = new TraceIdRatioBasedSampler(share);
  return new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName, 'service.instance.id': uuid() }),
    // Every process decides alike by the id of the trace; a caller's wish alone makes nothing recorded.
    sampler: new ParentBasedSampler({ root: byTraceId, remoteParentSampled: byTraceId }),
    spanLimits: { linkCountLimit: MAX_LINKS },
    spanProcessors: [
      new BatchSpanProcessor({ exporter: createExporter(options), scheduledDelayMillis: SEND_EVERY_MS }),
    ],
  });
}

/** What an error says may hold what a customer wrote: only its kind is told. */
function fail(span: Span, error: unknown): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute('error.type', error instanceof Error ? error.name : 'unknown');
}

function contextOf(after: TraceParent | null): Context {
  const parent = after ? parseTraceParent(after) : null;
  return parent ? trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true }) : ROOT_CONTEXT;
}

function linksTo(others: readonly TraceParent[]): Link[] {
  return others.flatMap((other) => {
    const context = parseTraceParent(other);
    return context ? { context } : [];
  });
}

function traceParentOf(span: Span): TraceParent {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}
