import type { WebSocket } from 'ws';

const PING_MS = 25_000;
const SHARES = 25;

/** Ends sockets whose other side is gone without a word. One timer for all of them. */
export type Pinging = Disposable & { watch(socket: WebSocket): void };

export function startPinging(sockets: ReadonlySet<WebSocket>, everyMs: number = PING_MS): Pinging {
  const silent = new WeakSet<WebSocket>();
  let round: WebSocket[] = [];
  let sharesLeft = 0;
  const timer = setInterval(beat, everyMs / SHARES);

  /** A share of them at a time: five thousand at once would hold up everything else for 60 ms. */
  function beat(): void {
    if (sharesLeft === 0) {
      round = [...sockets];
      sharesLeft = SHARES;
    }
    for (const socket of round.splice(0, Math.ceil(round.length / sharesLeft))) ping(socket);
    sharesLeft -= 1;
  }

  function ping(socket: WebSocket): void {
    if (socket.readyState !== socket.OPEN) return;
    if (silent.has(socket)) return socket.terminate();
    silent.add(socket);
    socket.ping();
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
