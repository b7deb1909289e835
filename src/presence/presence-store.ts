import { Redis } from 'ioredis';
import type { Log } from '../log.ts';

/** One tab of one operator in one conversation; instants in milliseconds. */
export type Entry = {
  operatorId: string;
  /** The connection that it came over: two tabs of one operator are told apart, and shown as one. */
  clientId: string;
  since: number;
  until: number;
  typingUntil: number;
};

/** Where the processes tell each other who is present. It may be away: each process knows its own. */
export type PresenceStore = AsyncDisposable & {
  put(conversationId: string, entry: Entry): Promise<void>;
  remove(conversationId: string, entry: Entry): Promise<void>;
  /** Entries of all processes, in the order of the ids. */
  read(conversationIds: readonly string[]): Promise<Entry[][]>;
};

/** A single process knows everything itself. */
export const noStore: PresenceStore = {
  put: async () => {},
  remove: async () => {},
  read: async (ids) => ids.map(() => []),
  async [Symbol.asyncDispose]() {},
};

const KEY = 'cdesk-chats:presence:';
const CHANNEL = 'cdesk-chats:presence';
const RETRY_MS = 250;

/** One hash per conversation, which expires by itself, and one channel that says which conversation changed. */
export function createRedisStore(options: {
  url: string;
  keepMs: number;
  onChange: (conversationId: string) => void;
  onBreak: () => void;
  log: Log;
}): PresenceStore {
  const { url, keepMs, onChange, onBreak, log } = options;
  const shared = {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: () => RETRY_MS,
  };
  const commands = new Redis(url, shared);
  const subscriber = new Redis(url, { ...shared, autoResubscribe: false });
  for (const connection of [commands, subscriber]) {
    connection.on('error', () => {});
    connection.connect().catch(() => {});
  }
  // After a break everything may have changed unheard.
  subscriber.on('ready', () => void subscriber.subscribe(CHANNEL).then(onBreak, () => {}));
  subscriber.on('message', (_channel: string, conversationId: string) => onChange(conversationId));

  return {
    put: (conversationId, entry) =>
      quietly(
        commands
          .multi()
          .hset(KEY + conversationId, fieldOf(entry), JSON.stringify(entry))
          .pexpire(KEY + conversationId, keepMs)
          .publish(CHANNEL, conversationId)
          .exec(),
      ),
    remove: (conversationId, entry) =>
      quietly(
        commands
          .multi()
          .hdel(KEY + conversationId, fieldOf(entry))
          .publish(CHANNEL, conversationId)
          .exec(),
      ),
    async read(ids) {
      if (commands.status !== 'ready' || ids.length === 0) return ids.map(() => []);
      try {
        const pipeline = commands.pipeline();
        for (const id of ids) pipeline.hvals(KEY + id);
        const answers = await pipeline.exec();
        // HVALS answers a list of texts, which a pipeline's type does not say; the texts are ours.
        return ids.map((_, index) =>
          ((answers?.[index]?.[1] ?? []) as string[]).map((text) => JSON.parse(text) as Entry),
        );
      } catch (error) {
        log.debug({ err: error }, 'presence of other processes could not be read');
        return ids.map(() => []);
      }
    },
    async [Symbol.asyncDispose]() {
      commands.disconnect();
      subscriber.disconnect();
    },
  };

  async function quietly(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      log.debug({ err: error }, 'presence could not be told to other processes');
    }
  }
}

export function fieldOf({ operatorId, clientId }: Pick<Entry, 'operatorId' | 'clientId'>): string {
  return `${operatorId}:${clientId}`;
}
