import type { StreamSource } from '../events/stream-source.ts';

type Streamed<Root> = { extensions: { stream: StreamSource<Root> }; subscribe: () => AsyncIterable<Root> };

/** What makes a field of Subscription a stream: `t.field({ type, args, ...streamed(source), resolve: (root) => root })`. */
export function streamed<Root>(source: StreamSource<Root>): Streamed<Root> {
  return { extensions: { stream: source }, subscribe: servedByHub };
}

/** The transports follow `extensions.stream`; nothing runs the schema's own subscribe. */
function servedByHub(): AsyncIterable<never> {
  throw new Error('a streamed field was subscribed to without the hub');
}
