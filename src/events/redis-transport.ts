import { Redis } from 'ioredis';
import type { LoggedEvent } from '../db/event-log.ts';
import type { Log } from '../log.ts';
import type { LiveTransport } from './live-transport.ts';

const STREAM = 'cdesk-chats:events';
const KEEP_ENTRIES = 10_000;
const BLOCK_MS = 5_000;
const RETRY_MS = 250;
const MAX_PENDING_WRITES = 1_000;

/** One Redis Stream: any process adds, one blocking read per process follows. Redis is an accelerator and may vanish. */
export function createRedisTransport(options: { url: string; log: Log; stream?: string }): LiveTransport {
  const { url, log } = options;
  const stream = options.stream ?? STREAM;
  const shared = {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: () => RETRY_MS,
  } as const;
  const writer = new Redis(url, shared);
  // A blocked read on a dead link would hang for ever: it is cut when it lasts longer than it may.
  const reader = new Redis(url, { ...shared, blockingTimeout: BLOCK_MS * 2 });
  let isReading = false;
  const stop = new AbortController();
  let pendingWrites = 0;
  let following: Promise<void> = Promise.resolve();

  for (const connection of [writer, reader]) connection.on('error', () => {});

  return {
    publish(events) {
      if (writer.status !== 'ready' || pendingWrites >= MAX_PENDING_WRITES) return;
      pendingWrites += 1;
      const done = () => void (pendingWrites -= 1);
      writer.xadd(stream, 'MAXLEN', '~', KEEP_ENTRIES, '*', 'e', JSON.stringify(events)).then(done, done);
    },
    start(onEvents) {
      connectQuietly(writer);
      following = follow(onEvents);
    },
    async forget() {
      await writer.del(stream);
    },
    isHealthy: () => isReading && writer.status === 'ready',
    async [Symbol.asyncDispose]() {
      stop.abort();
      writer.disconnect();
      reader.disconnect();
      await following;
    },
  };

  async function follow(onEvents: (events: LoggedEvent[]) => void): Promise<void> {
    connectQuietly(reader);
    let last = '$';
    while (!stop.signal.aborted) {
      try {
        // Before the first entry is seen, "from now on" is the newest id at this moment, not at the next call.
        if (last === '$') last = await newestId();
        const answer = await reader.xread('COUNT', 100, 'BLOCK', BLOCK_MS, 'STREAMS', stream, last);
        setReading(true);
        for (const [id, fields] of answer?.[0]?.[1] ?? []) {
          last = id;
          if (fields[1] !== undefined) onEvents(JSON.parse(fields[1]) as LoggedEvent[]);
        }
      } catch {
        setReading(false);
        // Ids of a flushed or failed-over Redis prove nothing: begin anew, the hub's look at the head heals the rest.
        last = '$';
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  async function newestId(): Promise<string> {
    const newest = await reader.xrevrange(stream, '+', '-', 'COUNT', 1);
    return newest[0]?.[0] ?? '0-0';
  }

  function setReading(value: boolean): void {
    if (value !== isReading) log.info({ redis: value ? 'connected' : 'away' }, 'the live transport changed');
    isReading = value;
  }
}

function connectQuietly(connection: Redis): void {
  // It goes on trying by itself.
  connection.connect().catch(() => {});
}
