import type { IncomingMessage, ServerResponse } from 'node:http';
import { v7 as uuid } from 'uuid';
import { actorOf, bearer, type Authenticate, type Viewer } from '../auth.ts';
import type { Context } from '../context.ts';
import { badInput, Refusal, unauthenticated } from '../errors.ts';
import type { Frame } from '../events/member.ts';
import type { Streams } from '../events/streams.ts';
import type { Subscription } from '../events/subscription.ts';
import { isErrors, type Operation, type Operations } from '../execution/operation.ts';
import type { Rates } from '../execution/rates.ts';
import type { Tickets } from '../ticket.ts';
import type { AddressOf } from './address.ts';
import type { ConnectionLimits } from './connection-count.ts';
import { allowOrigin } from './cors.ts';
import { answerErrors, answerRefusal, isJson, operationOfQuery, parseOperation, readBody } from './request.ts';
import { drained, isClogged, lagged } from './socket.ts';
import { spread } from './spread.ts';
import { eventOf } from './sse-frame.ts';

const KEEP_ALIVE_MS = 12_000;

/** After a terminal error the last id says so, and a reconnect is told to stop. */
const ENDED = 'ended';

export type SseRoute = {
  handles(request: IncomingMessage): boolean;
  serve(request: IncomingMessage, response: ServerResponse): Promise<void>;
  connections(): Iterable<SseConnection>;
  /** Ends every stream, spread over the given time; clients resume elsewhere with Last-Event-ID. */
  drain(overMs: number): Promise<void>;
};

export type SseConnection = { viewer: Viewer; setViewer(viewer: Viewer): void; refuse(): void };

type OpenConnection = SseConnection & {
  /** Null while it is being opened. */
  subscription: Subscription | null;
  /** Throws where it has been refused since. */
  requireLetIn(): void;
  end(): void;
};

/** GraphQL over Server-Sent Events, one operation per connection: every frame carries its cursor as `id`. */
export function createSseRoute(options: {
  operations: Operations;
  rates: Rates;
  streams: Streams;
  authenticate: Authenticate;
  tickets: Tickets;
  createContext: (viewer: Viewer, requestId: string) => Context;
  addressOf: AddressOf;
  limits: ConnectionLimits;
  isOriginAllowed: (origin: string | undefined) => boolean;
  slowClientMs: number;
}): SseRoute {
  const { operations, rates, streams, authenticate, tickets, createContext, addressOf, limits, slowClientMs } = options;
  const connected = new Set<OpenConnection>();

  return {
    handles: ({ headers }) => headers.accept?.includes('text/event-stream') ?? false,
    connections: () => connected,
    drain: (overMs) => spread([...connected], overMs, (connection) => connection.end()),
    async serve(request, response) {
      const requestId = uuid();
      response.setHeader('x-request-id', requestId);
      if (!allowOrigin(options.isOriginAllowed, request, response)) return;
      try {
        await rates.knock(addressOf(request));
        const url = new URL(request.url ?? '/', 'http://localhost');
        const lastEventId = headerOf(request, 'last-event-id');
        if (lastEventId === ENDED) return void response.writeHead(204).end();
        const viewer = await authenticate(credentialOf(request, url), addressOf(request));
        // Gone meanwhile: nothing would tell us that its place is free again.
        if (response.destroyed) return;
        takePlaces(viewer, request, response);
        const connection = letIn(response, viewer);
        const operation = await readOperation(request, url, viewer);
        if (isErrors(operation)) return answerErrors(response, 400, operations.mask(operation, requestId));
        if (operation.node.operation === 'mutation' && request.method !== 'POST')
          throw badInput('Send mutations by POST.');
        connection.requireLetIn();
        await stream(response, operation, connection, lastEventId, requestId);
      } catch (error) {
        answerRefusal(response, error, operations, requestId);
      }
    },
  };

  function takePlaces(viewer: Viewer, request: IncomingMessage, response: ServerResponse): void {
    const places = [limits.perAddress.take(addressOf(request)), limits.perViewer.take(actorOf(viewer))];
    for (const free of places) if (free) response.once('close', free);
    if (places.includes(null))
      throw new Refusal('RATE_LIMITED', 'Too many connections: close some of them.', { limit: 'connections' });
  }

  function credentialOf(request: IncomingMessage, url: URL): string | null {
    const ticket = url.searchParams.get('ticket');
    if (ticket === null) return bearer(request.headers.authorization);
    const credential = tickets.redeem(ticket, new Date());
    if (credential === null) throw unauthenticated('The ticket is wrong or has expired.');
    return credential;
  }

  async function readOperation(request: IncomingMessage, url: URL, viewer: Viewer) {
    if (request.method === 'GET') return operations.admit(operationOfQuery(url.searchParams), viewer);
    if (!isJson(request.headers['content-type'])) throw badInput('Send application/json.');
    const body = await readBody(request);
    return operations.admit(parseOperation(body), viewer);
  }

  /** Known from now on: rights that are lost while the subscription is being opened count, too. */
  function letIn(response: ServerResponse, viewer: Viewer): OpenConnection {
    let isRefused = false;
    const connection: OpenConnection = {
      viewer,
      subscription: null,
      setViewer(present) {
        connection.viewer = present;
        void connection.subscription?.reopen(present);
      },
      refuse() {
        isRefused = true;
        leave();
        if (response.headersSent) endWith(response, operations.mask([unauthenticated()], uuid()));
      },
      requireLetIn() {
        if (isRefused) throw unauthenticated();
      },
      // The others are sent away at the same time: not all are to come back at once.
      end() {
        if (response.headersSent) response.end(`retry: ${Math.round(500 + Math.random() * 2_500)}\n\n`);
      },
    };
    const leave = () => {
      connected.delete(connection);
      connection.subscription?.close();
    };
    connected.add(connection);
    response.once('close', leave);
    return connection;
  }

  async function stream(
    response: ServerResponse,
    operation: Operation,
    connection: OpenConnection,
    lastEventId: string | null,
    requestId: string,
  ) {
    if (operation.node.operation !== 'subscription') {
      const result = await operations.run(operation, createContext(connection.viewer, requestId));
      begin(response);
      writeFrames(response, [{ cursor: null, payload: Buffer.from(JSON.stringify(result)) }]);
      return finish(response);
    }
    await follow(response, operation, connection, lastEventId, requestId);
  }

  async function follow(
    response: ServerResponse,
    operation: Operation,
    connection: OpenConnection,
    after: string | null,
    requestId: string,
  ) {
    const { viewer } = connection;
    // Frames wait until the subscription is known to be good, so that a refusal is an HTTP answer.
    let waiting: Frame[] | null = [];
    const subscription: Subscription = await streams.subscribe({
      operation,
      viewer,
      after,
      sink: {
        send(frames) {
          if (waiting) waiting.push(...frames);
          else writeFrames(response, frames);
        },
        isClogged: () => isClogged(response),
        drained: () => drainedOrEnded(response, requestId),
        end: (refusal) => endWith(response, operations.mask([refusal], requestId)),
      },
    });
    // Gone or refused while it was being opened: nobody would close it.
    if (!connected.has(connection)) subscription.close();
    connection.requireLetIn();
    connection.subscription = subscription;
    begin(response);
    writeFrames(response, waiting);
    waiting = null;
    if (connection.viewer !== viewer) void subscription.reopen(connection.viewer);
    keepAlive(response);
  }

  async function drainedOrEnded(response: ServerResponse, requestId: string): Promise<boolean> {
    if (await drained(response, slowClientMs)) return true;
    endWith(response, operations.mask([lagged()], requestId), false);
    setTimeout(() => response.destroy(), 1_000).unref();
    return false;
  }
}

function begin(response: ServerResponse): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    connection: 'keep-alive',
  });
  response.write(':\n\n');
}

function keepAlive(response: ServerResponse): void {
  if (response.destroyed) return;
  const timer = setInterval(() => {
    if (!response.writableEnded) response.write(':\n\n');
  }, KEEP_ALIVE_MS);
  response.once('close', () => clearInterval(timer));
}

/** Node makes one system call of what is written in one go. */
function writeFrames(response: ServerResponse, frames: readonly Frame[]): void {
  if (response.destroyed || response.writableEnded) return;
  for (const frame of frames) response.write(eventOf(frame));
}

/** A terminal error: the client must not resume from here, unless it was only too slow. */
function endWith(response: ServerResponse, errors: readonly object[], isTerminal = true): void {
  if (response.destroyed || response.writableEnded) return;
  response.write(`event: next\n${isTerminal ? `id: ${ENDED}\n` : ''}data: ${JSON.stringify({ errors })}\n\n`);
  finish(response);
}

function finish(response: ServerResponse): void {
  response.end('event: complete\ndata:\n\n');
}

function headerOf(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
}
