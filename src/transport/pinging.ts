import type { WebSocket } from 'ws';

const PING_MS = 25_000;

/** Ends sockets whose other side is gone without a word. One timer for all of them. */
export type Pinging = Disposable & { watch(socket: WebSocket): void };

export function startPinging(sockets: ReadonlySet<WebSocket>): Pinging {
  const silent = new WeakSet<WebSocket>();
  const timer = setInterval(beat, PING_MS);

  function beat(): void {
    for (const socket of sockets) {
      if (silent.has(socket)) {
        socket.terminate();
        continue;
      }
      silent.add(socket);
      socket.ping();
    }
  }

  /** One function for all of them: the library calls it with the socket as `this`. */
  function hear(this: WebSocket): void {
    silent.delete(this);
  }

  return {
    watch: (socket) => void socket.on('pong', hear),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
