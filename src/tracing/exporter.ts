import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Log } from '../log.ts';

const TIMEOUT_MS = 3_000;

/** Sends to the collector. While that is away spans are dropped, which is said once: nothing waits for a trace. */
export function createExporter(options: { endpoint: string; headers: Record<string, string>; log: Log }): SpanExporter {
  const { endpoint, headers, log } = options;
  const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`;
  const exporter = new OTLPTraceExporter({ url, headers, timeoutMillis: TIMEOUT_MS });
  let isAway = false;
  return {
    export(spans, told) {
      exporter.export(spans, (result) => {
        // 0 is success; the enumeration of the library is not there at run time.
        const failed = result.code !== 0;
        if (failed && !isAway) log.warn({ err: result.error }, 'traces cannot be delivered and are dropped');
        if (!failed && isAway) log.info('traces are delivered again');
        isAway = failed;
        told(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush(),
  };
}
