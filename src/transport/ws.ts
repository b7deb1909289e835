import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ExecutionArgs, GraphQLError, GraphQLSchema } from 'graphql';
import { CloseCode, handleProtocols, makeServer, type Server as ProtocolServer } from 'graphql-ws';
import { v7 as uuid } from 'uuid';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { actorOf, bearer, type Authenticate, type Viewer } from '../auth.ts';
import type { Context } from '../context.ts';
import { Refusal } from '../errors.ts';
import type { Streams, Subscription } from '../events/streams.ts';
import type { Log } from '../log.ts';
import { errorsOf, isErrors, type Operation, type Operations } from '../execution/operation.ts';
import type { Rates } from '../execution/rates.ts';
import type { AddressOf } from './address.ts';
import type { ConnectionLimits } from './connection-count.ts';
import { startPinging } from './pinging.ts';
import { checkedOperation } from './request.ts';
import { closeCodes, createFrameWriter, drained, isClogged, isOverfull, lagged } from './socket.ts';
import { spread } from './spread.ts';

const INIT_WAIT_MS = 3_000;
const MAX_FRAME_BYTES = 256 * 1024;
const MAX_SUBSCRIPTIONS = 100;

export type WsServer = AsyncDisposable & {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Everyone who is connected now. */
  connections(): Iterable<Connection>;
  /** Sends everyone elsewhere, spread over the given time so that they do not all return at once. */
  drain(overMs: number): Promise<void>;
};

/** One authenticated socket. */
export type Connection = {
  viewer: Viewer;
  /** The rights changed: subscriptions go on with the present ones or end. */
  setViewer(viewer: Viewer): void;
  refuse(reason: string): void;
};

type Extra = {
  id: string;
  socket: WebSocket;
  /** Under the socket: what waits in it, and where shared frames are written. */
  tcp: Duplex;
  address: string;
  viewer: Viewer | null;
  subscriptions: Map<string, Subscription>;
  /** Subscriptions that are open or being opened. */
  open: number;
  /** Gives back the place that it takes among its viewer's. */
  free: () => void;
};
type RunArgs = ExecutionArgs & { operation: Operation; operationId: string; extra: Extra };

export function createWsServer(options: {
  schema: GraphQLSchema;
  operations: Operations;
  rates: Rates;
  streams: Streams;
  authenticate: Authenticate;
  createContext: (viewer: Viewer, requestId: string, connectionId: string) => Context;
  /** A socket that was let in is gone. */
  onClosed: (connectionId: string) => void;
  isOriginAllowed: (origin: string | undefined) => boolean;
  addressOf: AddressOf;
  limits: ConnectionLimits;
  slowClientMs: number;
  log: Log;
}): WsServer {
  const { schema, operations, streams, authenticate, createContext, log } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    handleProtocols,
  });
  const connected = new Map<Extra, Connection>();
  const pinging = startPinging();

  const protocol: ProtocolServer<Extra> = makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: INIT_WAIT_MS,
    onConnect: ({ connectionParams, extra }) => connect(extra, connectionParams),
    onSubscribe: ({ extra }, id, payload) => prepare(extra, id, payload),
    // Both hooks get what `prepare` gave; the library types it without our fields.
    execute: (args) => run(args as RunArgs),
    subscribe: (args) => follow(args as RunArgs),
    onError: (_ctx, _id, _payload, errors) =>
      operations.mask(errors.flatMap((error) => error.originalError ?? error).flatMap(errorsOf), uuid()),
    onDisconnect: ({ extra }) => forget(extra),
  });

  return {
    upgrade(request, socket, head) {
      if (!options.isOriginAllowed(request.headers.origin)) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      const free = options.limits.perAddress.take(options.addressOf(request));
      if (!free) return void socket.end('HTTP/1.1 429 Too Many Requests\r\n\r\n');
      socket.once('close', free);
      // The other side may be gone by the time that it is let in.
      socket.on('error', () => {});
      options.rates.knock(options.addressOf(request)).then(
        () =>
          sockets.handleUpgrade(request, socket, head, (opened) => serve(opened, socket, options.addressOf(request))),
        (error: unknown) => socket.end(`HTTP/1.1 429 Too Many Requests\r\nretry-after: ${secondsOf(error)}\r\n\r\n`),
      );
    },
    connections: () => connected.values(),
    drain: (overMs) => spread([...sockets.clients], overMs, sendAway),
    async [Symbol.asyncDispose]() {
      pinging[Symbol.dispose]();
      for (const socket of sockets.clients) sendAway(socket);
      await new Promise((resolve) => setTimeout(resolve, 50));
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    },
  };

  function serve(socket: WebSocket, tcp: Duplex, address: string): void {
    const extra: Extra = {
      id: uuid(),
      socket,
      tcp,
      address,
      viewer: null,
      subscriptions: new Map(),
      open: 0,
      free: () => {},
    };
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: (data) => (isOverfull(tcp) ? closeLagged(socket) : socket.send(data)),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (take) =>
          socket.on('message', (data) => {
            if (isClogged(tcp)) void pauseReading(socket, tcp);
            take(textOf(data)).catch((error: unknown) => {
              // The other side may be gone, or speak out of turn: neither is a fault of ours.
              if (socket.readyState !== socket.OPEN) return;
              if (isOutOfTurn(error)) return socket.close(CloseCode.BadRequest, 'Unexpected message');
              log.error({ err: error }, 'a frame could not be handled');
              socket.close(CloseCode.InternalServerError, 'Internal server error');
            });
          }),
      },
      extra,
    );
    pinging.watch(socket);
    socket.on('error', () => {});
    socket.once('close', (code, reason) => {
      forget(extra);
      void closed(code, String(reason));
    });
  }

  async function connect(extra: Extra, params: Record<string, unknown> | undefined): Promise<boolean> {
    try {
      const viewer = await authenticate(credentialOf(params), extra.address);
      if (extra.socket.readyState !== extra.socket.OPEN) return false;
      const free = options.limits.perViewer.take(actorOf(viewer));
      if (!free) {
        extra.socket.close(closeCodes.forbidden, 'Forbidden: too many sockets are open');
        return false;
      }
      extra.viewer = viewer;
      extra.free = free;
      watch(extra, viewer);
      return true;
    } catch (error) {
      if (error instanceof Refusal) return false;
      throw error;
    }
  }

  function watch(extra: Extra, viewer: Viewer): void {
    const connection: Connection = {
      viewer,
      setViewer(present) {
        connection.viewer = present;
        extra.viewer = present;
        for (const subscription of extra.subscriptions.values()) void subscription.reopen(present);
      },
      refuse(reason) {
        // What is being closed is still written to: nothing more may leave.
        forget(extra);
        extra.socket.close(closeCodes.forbidden, reason);
      },
    };
    connected.set(extra, connection);
  }

  function forget(extra: Extra): void {
    extra.free();
    if (connected.delete(extra)) options.onClosed(extra.id);
    for (const subscription of extra.subscriptions.values()) subscription.close();
    extra.subscriptions.clear();
  }

  async function prepare(extra: Extra, operationId: string, payload: unknown) {
    const { viewer } = extra;
    if (!viewer) return errorsOf(new Refusal('UNAUTHENTICATED', 'Sign in first.'));
    const operation = await admit(payload, viewer);
    if (isErrors(operation)) return operation;
    if (operation.node.operation === 'subscription') {
      if (extra.open >= MAX_SUBSCRIPTIONS) return errorsOf(tooManySubscriptions());
      extra.open += 1;
    }
    const { document, node, variables } = operation;
    const contextValue = createContext(viewer, uuid(), extra.id);
    return {
      schema,
      document,
      operationName: node.name?.value,
      variableValues: variables,
      contextValue,
      operation,
      operationId,
      extra,
    };
  }

  async function admit(payload: unknown, viewer: Viewer): Promise<Operation | readonly GraphQLError[]> {
    try {
      return await operations.admit(checkedOperation(payload), viewer);
    } catch (error) {
      return errorsOf(error);
    }
  }

  // The context was made by `prepare`, which types it; the library hands it back as unknown.
  function run(args: RunArgs) {
    return operations.run(args.operation, args.contextValue as Context);
  }

  async function follow(args: RunArgs) {
    const { operation, operationId, extra } = args;
    try {
      return await followStream(operation, operationId, extra);
    } catch (error) {
      extra.open -= 1;
      // A subscription that is refused ends with an error frame of its own; a result with errors would be a `next`.
      return silence(Promise.reject(error instanceof Error ? error : new Error(String(error))), () => {});
    }
  }

  /** The hub writes the frames itself; the protocol only waits for the end. */
  async function followStream(operation: Operation, id: string, extra: Extra): Promise<AsyncGenerator<never>> {
    const { socket, tcp, viewer } = extra;
    const write = createFrameWriter(tcp, id);
    if (!viewer) throw new Refusal('UNAUTHENTICATED', 'Sign in first.');
    const ended = Promise.withResolvers<never>();
    ended.promise.catch(() => {});
    const subscription = await streams.subscribe({
      operation,
      viewer,
      after: null,
      sink: {
        send(frames) {
          if (socket.readyState === socket.OPEN) write(frames);
        },
        isClogged: () => isClogged(tcp),
        drained: () => drainedOrClosed(extra, id),
        end: (refusal) => ended.reject(refusal),
      },
    });
    // The client may have gone while the subscription was being opened: nobody would close it.
    if (socket.readyState !== socket.OPEN) {
      subscription.close();
      throw new Refusal('FORBIDDEN', 'The socket is closed.');
    }
    extra.subscriptions.set(id, subscription);
    return silence(ended.promise, () => {
      subscription.close();
      extra.subscriptions.delete(id);
      extra.open -= 1;
    });
  }

  async function drainedOrClosed({ socket, tcp }: Extra, id: string): Promise<boolean> {
    if (await drained(tcp, options.slowClientMs)) return true;
    if (socket.readyState !== socket.OPEN) return false;
    const payload = operations.mask([lagged()], uuid());
    if (!isOverfull(tcp)) socket.send(JSON.stringify({ id, type: 'error', payload }));
    closeLagged(socket);
    return false;
  }

  /** Whoever does not take its answers is not asked for more questions. */
  async function pauseReading(socket: WebSocket, tcp: Duplex): Promise<void> {
    socket.pause();
    if (await drained(tcp, options.slowClientMs)) socket.resume();
    else closeLagged(socket);
  }

  function closeLagged(socket: WebSocket): void {
    if (socket.readyState !== socket.OPEN) return;
    socket.close(closeCodes.lagged, 'Too slow: resume from your cursor');
    setTimeout(() => socket.terminate(), 1_000).unref();
  }
}

function sendAway(socket: WebSocket): void {
  socket.close(closeCodes.goingAway, 'Server is going away: connect again');
}

function tooManySubscriptions(): Refusal {
  return new Refusal('RATE_LIMITED', `A socket has at most ${MAX_SUBSCRIPTIONS} subscriptions.`, {
    limit: 'subscriptions',
  });
}

/** The library's word for a message that only servers send. */
function isOutOfTurn(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Unexpected message of type');
}

function secondsOf(error: unknown): number {
  const seconds = error instanceof Refusal ? error.extensions.retryAfterSeconds : undefined;
  return typeof seconds === 'number' ? seconds : 1;
}

/** Yields nothing and ends with the subscription: by its error, or when the client has had enough. */
function silence(end: Promise<never>, close: () => void): AsyncGenerator<never> {
  let isClosed = false;
  const finish = Promise.withResolvers<IteratorResult<never>>();
  const done = { done: true, value: undefined } as const;
  function closeOnce(): void {
    if (!isClosed) close();
    isClosed = true;
    finish.resolve(done);
  }
  end.catch((error: unknown) => {
    if (!isClosed) close();
    isClosed = true;
    finish.reject(error);
  });
  return {
    next: () => finish.promise,
    async return() {
      closeOnce();
      return done;
    },
    async throw(error) {
      closeOnce();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      closeOnce();
    },
  };
}

/** Frames come as one buffer unless `binaryType` says otherwise, which it does not. */
function textOf(data: RawData): string {
  return Buffer.isBuffer(data)
    ? data.toString('utf8')
    : Buffer.concat([data].flat().map((part) => Buffer.from(part as ArrayBuffer))).toString('utf8');
}

function credentialOf(params: Record<string, unknown> | undefined): string | null {
  const { authorization, Authorization, token } = params ?? {};
  const header = authorization ?? Authorization;
  if (typeof header === 'string') return bearer(header);
  return typeof token === 'string' ? token : null;
}
