import type { Duplex } from 'node:stream';
import { v7 as uuid } from 'uuid';
import type { WebSocket } from 'ws';
import type { Viewer } from '../auth.ts';
import type { Subscription } from '../events/subscription.ts';
import { closeCodes, drained } from './socket.ts';

const LAST_WORDS_MS = 1_000;

/** One WebSocket, and once it was let in whose it is. A class, because thousands of them share its functions. */
export class WsConnection {
  readonly id = uuid();
  readonly socket: WebSocket;
  /** Under the socket: what waits in it, and where shared frames are written. */
  readonly tcp: Duplex;
  readonly address: string;
  readonly subscriptions = new Set<Subscription>();
  viewer: Viewer | null = null;
  /** Subscriptions that are open or being opened. */
  open = 0;
  private leave = () => {};

  constructor(socket: WebSocket, tcp: Duplex, address: string) {
    this.socket = socket;
    this.tcp = tcp;
    this.address = address;
  }

  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  /** `leave` takes back what letting it in did. */
  letIn(viewer: Viewer, leave: () => void): SignedIn {
    this.leave = leave;
    return Object.assign(this, { viewer });
  }

  /** The rights changed: subscriptions go on with the present ones or end. */
  setViewer(viewer: Viewer): void {
    this.viewer = viewer;
    for (const subscription of this.subscriptions) void subscription.reopen(viewer);
  }

  refuse(reason: string): void {
    // What is being closed is still written to: nothing more may leave.
    this.release();
    this.socket.close(closeCodes.forbidden, reason);
  }

  release(): void {
    this.leave();
    this.leave = () => {};
    for (const subscription of this.subscriptions) subscription.close();
    this.subscriptions.clear();
  }

  /** Whoever does not take its answers is not asked for more questions. */
  async pauseReading(patienceMs: number): Promise<void> {
    this.socket.pause();
    if (await drained(this.tcp, patienceMs)) this.socket.resume();
    else this.closeLagged();
  }

  closeLagged(): void {
    if (!this.isOpen) return;
    this.socket.close(closeCodes.lagged, 'Too slow: resume from your cursor');
    setTimeout(() => this.socket.terminate(), LAST_WORDS_MS).unref();
  }
}

export type SignedIn = WsConnection & { viewer: Viewer };
