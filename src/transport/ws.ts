import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { GraphQLSchema } from 'graphql';
import { CloseCode, handleProtocols, makeServer, type Server as ProtocolServer } from 'graphql-ws';
import { v7 as uuid } from 'uuid';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { actorOf, bearer, type Authenticate, type Viewer } from '../auth.ts';
import type { Context } from '../context.ts';
import { Refusal } from '../errors.ts';
import type { Streams } from '../events/streams.ts';
import type { Log } from '../log.ts';
import { errorsOf, type Operations } from '../execution/operation.ts';
import type { Rates } from '../execution/rates.ts';
import type { AddressOf } from './address.ts';
import type { ConnectionLimits } from './connection-count.ts';
import { startPinging } from './pinging.ts';
import { closeCodes, isClogged, isOverfull, refuseUpgrade } from './socket.ts';
import { spread } from './spread.ts';
import { WsConnection, type SignedIn } from './ws-connection.ts';
import { createWsOperations, type RunArgs } from './ws-operations.ts';
import { Turns } from './ws-turns.ts';

const INIT_WAIT_MS = 3_000;
const MAX_FRAME_BYTES = 256 * 1024;
/** One for all, so that it tells nobody which tokens there are. */
const NOT_LET_IN = 'Forbidden: the token is missing, unknown, expired or revoked';

export type WsServer = AsyncDisposable & {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Everyone who is connected now. */
  connections(): Iterable<SignedIn>;
  /** Sends everyone elsewhere, spread over the given time so that they do not all return at once. */
  drain(overMs: number): Promise<void>;
};

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
  const { operations, authenticate, addressOf, limits, slowClientMs, log } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    handleProtocols,
  });
  const connected = new Set<SignedIn>();
  const pinging = startPinging(sockets.clients);
  const asked = createWsOperations(options);

  const protocol: ProtocolServer<WsConnection> = makeServer<Record<string, unknown>, WsConnection>({
    connectionInitWaitTimeout: INIT_WAIT_MS,
    onConnect: ({ connectionParams, extra }) => letIn(extra, connectionParams),
    onSubscribe: ({ extra }, id, payload) => asked.prepare(extra, id, payload),
    // Both hooks get what `prepare` gave; the library types it without our fields.
    execute: (args) => asked.run(args as RunArgs),
    subscribe: (args) => asked.follow(args as RunArgs),
    onError: (_ctx, _id, _payload, errors) =>
      operations.mask(errors.flatMap((error) => error.originalError ?? error).flatMap(errorsOf), uuid()),
    onDisconnect: ({ extra }) => extra.release(),
  });

  return {
    upgrade(request, socket, head) {
      if (!options.isOriginAllowed(request.headers.origin)) return refuseUpgrade(socket, '403 Forbidden');
      const address = addressOf(request);
      const free = limits.perAddress.take(address);
      if (!free) return refuseUpgrade(socket, '429 Too Many Requests');
      socket.once('close', free);
      // The other side may be gone by the time that it is let in.
      socket.on('error', ignore);
      options.rates.knock(address).then(
        () => sockets.handleUpgrade(request, socket, head, (opened) => serve(opened, socket, address)),
        (error: unknown) => refuseUpgrade(socket, `429 Too Many Requests\r\nretry-after: ${secondsOf(error)}`),
      );
    },
    connections: () => connected,
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
    const connection = new WsConnection(socket, tcp, address);
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: (data) => (isOverfull(tcp) ? connection.closeLagged() : socket.send(data)),
        close: (code, reason) => socket.close(code, reason),
        onMessage(take) {
          // What is parsed already the library takes as it is.
          const turns = new Turns(async (message) => (connection.isOpen ? take(message as string) : undefined));
          socket.on('message', (data) => {
            if (isClogged(tcp)) void connection.pauseReading(slowClientMs);
            turns.hear(parsed(textOf(data))).catch((error: unknown) => fail(connection, error));
          });
        },
      },
      connection,
    );
    pinging.watch(socket);
    socket.on('error', ignore);
    socket.once('close', (code, reason) => {
      connection.release();
      void closed(code, String(reason));
    });
  }

  /** The other side may be gone, or speak out of turn: neither is a fault of ours. */
  function fail({ socket, isOpen }: WsConnection, error: unknown): void {
    if (!isOpen) return;
    if (isOutOfTurn(error)) return socket.close(CloseCode.BadRequest, 'Unexpected message');
    log.error({ err: error }, 'a frame could not be handled');
    socket.close(CloseCode.InternalServerError, 'Internal server error');
  }

  async function letIn(connection: WsConnection, params: Record<string, unknown> | undefined): Promise<boolean> {
    try {
      const viewer = await authenticate(credentialOf(params), connection.address);
      if (!connection.isOpen) return false;
      const free = limits.perViewer.take(actorOf(viewer));
      if (!free) {
        connection.socket.close(closeCodes.forbidden, 'Forbidden: too many sockets are open');
        return false;
      }
      const signedIn = connection.letIn(viewer, () => {
        free();
        connected.delete(signedIn);
        options.onClosed(connection.id);
      });
      connected.add(signedIn);
      return true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      connection.socket.close(closeCodes.forbidden, NOT_LET_IN);
      return false;
    }
  }
}

function ignore(): void {}

function sendAway(socket: WebSocket): void {
  socket.close(closeCodes.goingAway, 'Server is going away: connect again');
}

/** The library's word for a message that only servers send. */
function isOutOfTurn(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Unexpected message of type');
}

function secondsOf(error: unknown): number {
  const seconds = error instanceof Refusal ? error.extensions.retryAfterSeconds : undefined;
  return typeof seconds === 'number' ? seconds : 1;
}

/** Frames come as one buffer unless `binaryType` says otherwise, which it does not. */
function textOf(data: RawData): string {
  return Buffer.isBuffer(data)
    ? data.toString('utf8')
    : Buffer.concat([data].flat().map((part) => Buffer.from(part as ArrayBuffer))).toString('utf8');
}

/** What is no object of JSON stays text: the library says what is wrong with it. */
function parsed(text: string): unknown {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === 'object' ? message : text;
  } catch {
    return text;
  }
}

function credentialOf(params: Record<string, unknown> | undefined): string | null {
  const { authorization, Authorization, token } = params ?? {};
  const header = authorization ?? Authorization;
  if (typeof header === 'string') return bearer(header);
  return typeof token === 'string' ? token : null;
}
