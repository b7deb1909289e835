import type { Context } from '../context.ts';
import type { StreamSource } from '../events/stream-source.ts';
import { requireFollowing } from './rights.ts';

type Streamed<Root> = { extensions: { stream: StreamSource<Root> }; subscribe: () => AsyncIterable<Root> };

/** What makes a field of Subscription a stream: `t.field({ type, args, ...streamed(source), resolve: (root) => root })`. */
export function streamed<Root>(source: StreamSource<Root>): Streamed<Root> {
  return { extensions: { stream: whileModuleWorks(source) }, subscribe: servedByHub };
}

/** Asked at the beginning and whenever rights or the module changed. */
function whileModuleWorks<Root>(source: StreamSource<Root>): StreamSource<Root> {
  const checked = (context: Context) => {
    requireFollowing(context);
    return context;
  };
  return source.kind === 'log'
    ? { kind: 'log', open: (args, context) => source.open(args, checked(context)) }
    : { kind: 'snapshot', open: (args, context) => source.open(args, checked(context)) };
}

/** The transports follow `extensions.stream`; nothing runs the schema's own subscribe. */
function servedByHub(): AsyncIterable<never> {
  throw new Error('a streamed field was subscribed to without the hub');
}
