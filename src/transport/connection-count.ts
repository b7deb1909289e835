/** Counts what is open at the same time, by whatever key. */
export type ConnectionCount = {
  /** Gives back what frees the place again, or null where all are taken. */
  take(key: string): (() => void) | null;
};

export function createConnectionCount(limit: number): ConnectionCount {
  const open = new Map<string, number>();
  return {
    take(key) {
      const count = open.get(key) ?? 0;
      if (count >= limit) return null;
      open.set(key, count + 1);
      let isFreed = false;
      return () => {
        if (isFreed) return;
        isFreed = true;
        const left = (open.get(key) ?? 1) - 1;
        if (left > 0) open.set(key, left);
        else open.delete(key);
      };
    },
  };
}

/** Live connections of this process, over WebSocket and Server-Sent Events together. */
export type ConnectionLimits = { perViewer: ConnectionCount; perAddress: ConnectionCount };

export function createConnectionLimits(limits: { perViewer: number; perAddress: number }): ConnectionLimits {
  return { perViewer: createConnectionCount(limits.perViewer), perAddress: createConnectionCount(limits.perAddress) };
}
