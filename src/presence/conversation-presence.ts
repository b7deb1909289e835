import type { Log } from '../log.ts';
import { createRedisStore, fieldOf, noStore, type Entry, type PresenceStore } from './presence-store.ts';

/** Somebody who looks at a conversation now. */
export type Present = { operatorId: string; typing: boolean; since: Date };

export type ConversationPresence = AsyncDisposable & {
  /** True where the operator has just begun to type. */
  set(told: {
    conversationId: string;
    operatorId: string;
    clientId: string;
    present: boolean;
    typing: boolean;
  }): Promise<boolean>;
  /** A connection is gone, and with it what was told over it. */
  leave(clientId: string): void;
  /** Who is present, in the order of the ids; each operator once, the longest present first. */
  of(conversationIds: readonly string[]): Promise<Present[][]>;
  /** Called whenever it may have changed, by word or by time; gives back what stops it. */
  watch(conversationId: string, changed: () => void): () => void;
};

type Watched = { listeners: Set<() => void>; timer: NodeJS.Timeout | null };

const TYPING_SHARE = 6;

/**
 * Who looks at or types in a conversation. It lives as long as it is repeated: in this process, and in Redis for the
 * others. What a dead process or browser told runs out by itself.
 */
export function createConversationPresence(options: {
  redisUrl: string | undefined;
  /** How long looking holds without being repeated; typing holds a sixth of it. */
  holdMs: number;
  log: Log;
}): ConversationPresence {
  const { redisUrl, holdMs, log } = options;
  const own = new Map<string, Map<string, Entry>>();
  const watched = new Map<string, Watched>();
  /** Connections that are gone, until nothing that came over them can be under way any more. */
  const gone = new Map<string, number>();
  const store: PresenceStore = redisUrl
    ? createRedisStore({ url: redisUrl, keepMs: holdMs * 2, onChange: tell, onBreak: tellAll, log })
    : noStore;
  const sweep = setInterval(() => {
    const now = Date.now();
    for (const conversationId of own.keys()) dropExpired(conversationId, now);
    for (const [clientId, until] of gone) if (until <= now) gone.delete(clientId);
  }, holdMs);

  return {
    async set({ conversationId, operatorId, clientId, typing, ...told }) {
      const now = Date.now();
      const present = told.present && !gone.has(clientId);
      const entries = own.get(conversationId) ?? new Map<string, Entry>();
      const known = entries.get(fieldOf({ operatorId, clientId }));
      const since = known && known.until > now ? known.since : now;
      const typingUntil = present && typing ? now + holdMs / TYPING_SHARE : 0;
      const entry = { operatorId, clientId, since, until: present ? now + holdMs : now, typingUntil };
      if (present) own.set(conversationId, entries.set(fieldOf(entry), entry));
      else forget(conversationId, entry);
      await (present ? store.put(conversationId, entry) : store.remove(conversationId, entry));
      tell(conversationId);
      return typingUntil > now && (known?.typingUntil ?? 0) <= now;
    },
    leave(clientId) {
      gone.set(clientId, Date.now() + holdMs);
      for (const [conversationId, entries] of own)
        for (const entry of entries.values())
          if (entry.clientId === clientId) {
            forget(conversationId, entry);
            void store.remove(conversationId, entry).then(() => tell(conversationId));
          }
    },
    async of(ids) {
      const told = await store.read(ids);
      const now = Date.now();
      return ids.map((id, index) => {
        const entries = new Map((told[index] ?? []).map((entry) => [fieldOf(entry), entry]));
        for (const [field, entry] of own.get(id) ?? []) entries.set(field, entry);
        const live = [...entries.values()].filter((entry) => entry.until > now);
        scheduleEnd(id, live, now);
        dropExpired(id, now);
        return presentOf(live, now);
      });
    },
    watch(conversationId, changed) {
      const entry = watched.get(conversationId) ?? { listeners: new Set(), timer: null };
      watched.set(conversationId, entry);
      entry.listeners.add(changed);
      return () => {
        entry.listeners.delete(changed);
        if (entry.listeners.size > 0) return;
        if (entry.timer) clearTimeout(entry.timer);
        watched.delete(conversationId);
      };
    },
    async [Symbol.asyncDispose]() {
      clearInterval(sweep);
      for (const { timer } of watched.values()) if (timer) clearTimeout(timer);
      await store[Symbol.asyncDispose]();
    },
  };

  function forget(conversationId: string, entry: Entry): void {
    const entries = own.get(conversationId);
    entries?.delete(fieldOf(entry));
    if (entries?.size === 0) own.delete(conversationId);
  }

  function dropExpired(conversationId: string, now: number): void {
    for (const entry of own.get(conversationId)?.values() ?? [])
      if (entry.until <= now) {
        forget(conversationId, entry);
        void store.remove(conversationId, entry);
      }
  }

  function tellAll(): void {
    for (const conversationId of watched.keys()) tell(conversationId);
  }

  function tell(conversationId: string): void {
    for (const listener of watched.get(conversationId)?.listeners ?? []) listener();
  }

  /** Whoever watches is told when the next of them runs out. */
  function scheduleEnd(conversationId: string, live: Entry[], now: number): void {
    const entry = watched.get(conversationId);
    if (!entry) return;
    if (entry.timer) clearTimeout(entry.timer);
    const ends = live.flatMap(({ until, typingUntil }) => [until, typingUntil]).filter((at) => at > now);
    const wait = Math.min(...ends) - now + 1;
    entry.timer = ends.length > 0 ? setTimeout(() => tell(conversationId), wait) : null;
  }
}

/** Several tabs are one person, who has been there since the first of them and types where one does. */
function presentOf(live: readonly Entry[], now: number): Present[] {
  const people = new Map<string, Present>();
  for (const { operatorId, since, typingUntil } of live.toSorted((a, b) => a.since - b.since)) {
    const typing = typingUntil > now;
    const known = people.get(operatorId);
    if (known) known.typing ||= typing;
    else people.set(operatorId, { operatorId, typing, since: new Date(since) });
  }
  return [...people.values()];
}
