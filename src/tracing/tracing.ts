import { INVALID_SPAN_CONTEXT, trace, type Attributes, type Span } from '@opentelemetry/api';
import type { Env } from '../env.ts';
import type { Log } from '../log.ts';

/** Where things come from and lead to, as spans of OpenTelemetry. Off unless a collector is set. */
export type Tracing = AsyncDisposable & {
  /** Does the work as a span; what is done in it belongs to it. A rejection marks it as failed. */
  span<T>(span: NewSpan, work: (span: Span) => Promise<T>): Promise<T>;
  /** A span of what is over already. */
  note(span: NewSpan & { startedAt: Date }): void;
  /** The span that the work is in, to be carried elsewhere; null where nothing is recorded. */
  present(): TraceParent | null;
  /** Says that the present span has to do with that one. */
  link(other: TraceParent | null): void;
};

/** A span in the form of W3C Trace Context. */
export type TraceParent = string;

export type NewSpan = {
  /** Few values: ids go into attributes. */
  name: string;
  kind?: 'server' | 'client' | 'producer' | 'consumer';
  /** What it follows from; missing: the present span, null: nothing. */
  after?: TraceParent | null;
  /** What else it follows from. */
  links?: readonly TraceParent[];
  /** Ids, kinds and counts; never a text, a number of a person or a secret. */
  attributes?: Attributes;
};

export const noTracing: Tracing = {
  span: (_, work) => work(nothing),
  note() {},
  present: () => null,
  link() {},
  async [Symbol.asyncDispose]() {},
};

const nothing = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

/** What records and sends spans is loaded only where it is wanted. */
export async function createTracing(env: Env, log: Log): Promise<Tracing> {
  const { otelExporterOtlpEndpoint: endpoint, otelExporterOtlpHeaders: headers } = env;
  if (!endpoint) return noTracing;
  const { startRecording } = await import('./recording.ts');
  const { otelServiceName: serviceName, otelTracesSamplerArg: share } = env;
  return startRecording({ endpoint, headers, serviceName, share, log });
}
