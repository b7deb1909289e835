import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

const TEXT = 1;
const PING = 9;
/** Masked with zeros and empty, as the pings are. */
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

/** Many subscribers over raw sockets, which only count the frames that come: the measuring side must cost little. */
export class Crowd {
  private readonly readers: Reader[] = [];
  private delivered = 0;
  private wanted = Number.POSITIVE_INFINITY;
  private arrive: () => void = () => {};
  private readonly url: URL;
  private readonly token: string;

  constructor(url: string, token: string) {
    this.url = new URL(url);
    this.token = token;
  }

  get size(): number {
    return this.readers.length;
  }

  /** Opens sockets, some at a time; each has asked for its subscription when this settles. */
  async join(
    count: number,
    subscription: { query: string; variables?: Record<string, unknown> },
    atOnce = 200,
  ): Promise<void> {
    for (let joined = 0; joined < count; joined += atOnce) {
      const some = Math.min(atOnce, count - joined);
      await Promise.all(Array.from({ length: some }, () => this.open(subscription)));
    }
  }

  /** Settles when so many frames have come to all of them together since the last call. */
  async frames(count: number, timeoutMs = 60_000): Promise<void> {
    if (this.delivered < count) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`only ${this.delivered} of ${count} frames came`)), timeoutMs);
        this.wanted = count;
        this.arrive = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.wanted = Number.POSITIVE_INFINITY;
    this.delivered -= count;
  }

  /** Tells events until everyone has had one, which shows that all subscriptions are open, and waits for the rest. */
  async subscribed(fire: () => unknown): Promise<void> {
    while (this.readers.some(({ frames }) => frames === 0)) {
      await fire();
      await this.quiet();
    }
    this.delivered = 0;
  }

  leave(): void {
    for (const reader of this.readers.splice(0)) reader.socket.destroy();
    this.delivered = 0;
  }

  private async open(subscription: { query: string; variables?: Record<string, unknown> }): Promise<void> {
    const reader = new Reader(connect(Number(this.url.port), this.url.hostname), () => this.count());
    await reader.handshake(this.url);
    reader.send({ type: 'connection_init', payload: { authorization: `Bearer ${this.token}` } });
    await reader.next();
    reader.isCounting = true;
    reader.send({ id: randomBytes(16).toString('hex'), type: 'subscribe', payload: subscription });
    this.readers.push(reader);
  }

  private async quiet(): Promise<void> {
    for (let before = -1; before !== this.delivered;) {
      before = this.delivered;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  private count(): void {
    this.delivered += 1;
    if (this.delivered >= this.wanted) this.arrive();
  }
}

/** Finds the ends of frames in what comes, and answers pings. */
class Reader {
  readonly socket: Socket;
  isCounting = false;
  frames = 0;
  private readonly onFrame: () => void;
  private rest: Buffer = Buffer.alloc(0);
  private left = 0;
  private opcode = TEXT;
  private isOpen = false;
  private wake: () => void = () => {};

  constructor(socket: Socket, onFrame: () => void) {
    this.socket = socket;
    this.onFrame = onFrame;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.take(chunk));
  }

  handshake(url: URL): Promise<void> {
    const key = randomBytes(16).toString('base64');
    this.socket.write(
      `GET /graphql HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n`,
    );
    return this.next();
  }

  next(): Promise<void> {
    return new Promise((resolve) => (this.wake = resolve));
  }

  /** A client's frames are masked; a mask of zeros leaves them as they are. */
  send(message: unknown): void {
    const body = Buffer.from(JSON.stringify(message));
    const head = Buffer.from(
      body.length < 126 ? [0x81, 0x80 | body.length] : [0x81, 0xfe, body.length >> 8, body.length & 255],
    );
    this.socket.write(Buffer.concat([head, Buffer.alloc(4), body]));
  }

  private take(chunk: Buffer): void {
    if (!this.isOpen) {
      const end = chunk.indexOf('\r\n\r\n');
      if (end === -1) return;
      this.isOpen = true;
      this.wake();
      return this.take(chunk.subarray(end + 4));
    }
    let at = 0;
    while (at < chunk.length) {
      if (this.left > 0) {
        const step = Math.min(this.left, chunk.length - at);
        this.left -= step;
        at += step;
        if (this.left === 0) this.ended();
        continue;
      }
      const head = this.rest.length > 0 ? Buffer.concat([this.rest, chunk.subarray(at)]) : chunk.subarray(at);
      const size = sizeOf(head);
      if (size === null) {
        this.rest = Buffer.from(head);
        return;
      }
      this.opcode = size.opcode;
      at += size.header - this.rest.length;
      this.rest = Buffer.alloc(0);
      this.left = size.payload;
      if (this.left === 0) this.ended();
    }
  }

  private ended(): void {
    if (this.opcode === PING) return void this.socket.write(PONG);
    if (this.opcode !== TEXT) return;
    if (!this.isCounting) return this.wake();
    this.frames += 1;
    this.onFrame();
  }
}

function sizeOf(head: Buffer): { opcode: number; header: number; payload: number } | null {
  const opcode = (head[0] ?? 0) & 15;
  const short = (head[1] ?? 0) & 127;
  if (head.length < 2 || (short === 126 && head.length < 4) || (short === 127 && head.length < 10)) return null;
  if (short < 126) return { opcode, header: 2, payload: short };
  return short === 126
    ? { opcode, header: 4, payload: head.readUInt16BE(2) }
    : { opcode, header: 10, payload: Number(head.readBigUInt64BE(2)) };
}
