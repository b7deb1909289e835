import type { WebSocket } from 'ws';

const PING_MS = 25_000;

/** Ends sockets whose other side is gone without a word. One timer for all of them. */
export type Pinging = Disposable & { watch(socket: WebSocket): void };

export function startPinging(): Pinging {
  const watched = new Set<WebSocket>();
  const silent = new Set<WebSocket>();
  const timer = setInterval(beat, PING_MS);

  function beat(): void {
    for (const socket of watched) {
      if (silent.has(socket)) {
        socket.terminate();
        continue;
      }
      silent.add(socket);
      socket.ping();
    }
  }

  return {
    watch(socket) {
      watched.add(socket);
      socket.on('pong', () => silent.delete(socket));
      socket.once('close', () => {
        watched.delete(socket);
        silent.delete(socket);
      });
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
