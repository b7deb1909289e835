import { WebSocket } from 'ws';

/** A WebSocket without a client library, to say what no library would. */
export type RawSocket = {
  socket: WebSocket;
  frames: { id?: string; type: string; payload?: unknown }[];
  /** Settles with the code when it is closed. */
  closed: Promise<number>;
  send(frame: unknown): void;
  /** The first frame that fits. */
  frame(fits: (frame: RawSocket['frames'][number]) => boolean): Promise<RawSocket['frames'][number]>;
};

export async function openRawSocket(url: string, protocols: string[] = ['graphql-transport-ws']): Promise<RawSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, protocols);
  const frames: RawSocket['frames'] = [];
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  socket.on('message', (data: Buffer) => void frames.push(JSON.parse(data.toString()) as RawSocket['frames'][number]));
  // One that is refused at once never opens for its client: it is closed.
  await new Promise((resolve) => socket.once('open', resolve).once('close', resolve));
  return {
    socket,
    frames,
    closed,
    send: (frame) => socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    async frame(fits) {
      const deadline = Date.now() + 20_000;
      for (;;) {
        const found = frames.find(fits);
        if (found) return found;
        if (Date.now() > deadline) throw new Error(`no such frame among ${JSON.stringify(frames).slice(0, 500)}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
  };
}

/** One that has been let in. */
export async function openAcknowledged(url: string, token: string): Promise<RawSocket> {
  const raw = await openRawSocket(url);
  raw.send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
  await raw.frame(({ type }) => type === 'connection_ack');
  return raw;
}
