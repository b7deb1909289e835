import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import type { GraphQLSchema } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { bearer, type Authenticate, type Viewer } from '../auth.ts';
import type { Context } from '../context.ts';
import { badInput } from '../errors.ts';
import { isErrors, type OperationRequest, type Operations } from '../execution/operation.ts';
import type { Rates } from '../execution/rates.ts';
import type { FileStore } from '../files/file-store.ts';
import type { Tickets } from '../ticket.ts';
import type { AddressOf } from './address.ts';
import { allowOrigin } from './cors.ts';
import {
  answerErrors,
  answerRefusal,
  isJson,
  operationOfQuery,
  parseOperation,
  readBody,
  RESPONSE_JSON,
} from './request.ts';
import { isMultipart, readUpload } from './upload.ts';
import { utf8 } from './utf8.ts';

export const GRAPHQL_PATH = '/graphql';
export const TICKET_PATH = '/graphql/ticket';

/** Who may what is not looked up again for this long. */
const FRESH_MS = 1_000;

export type GraphqlRoute = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * GraphQL over HTTP. Operations take a short way of our own, the same as over the other transports: yoga costs 0.4 ms
 * of CPU per request before any work. GraphiQL and what is no operation go to yoga.
 */
export function createGraphqlRoute(options: {
  schema: GraphQLSchema;
  operations: Operations;
  rates: Rates;
  authenticate: Authenticate;
  tickets: Tickets;
  createContext: (viewer: Viewer | null, requestId: string) => Context;
  isOriginAllowed: (origin: string | undefined) => boolean;
  addressOf: AddressOf;
  files: FileStore;
  hasGraphiql: boolean;
}): GraphqlRoute {
  const { operations, rates, authenticate, tickets, createContext, addressOf } = options;
  const yoga = createYogaHandler(options);

  return async (request, response) => {
    const requestId = randomUUID();
    response.setHeader('x-request-id', requestId);
    if (!allowOrigin(options.isOriginAllowed, request, response)) return;
    try {
      await rates.knock(addressOf(request));
      if (request.method === 'POST') await takePost(request, response, requestId);
      else if (request.method === 'GET' && isOperation(request)) await takeGet(request, response, requestId);
      else await yoga(request, response);
    } catch (error) {
      answerRefusal(response, error, operations, requestId);
    }
  };

  async function takePost(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
    if (isMultipart(request)) return takeUpload(request, response, requestId);
    // It is asked for with a header and nothing else.
    if (isForTicket(request) && !hasBody(request)) return issueTicket(request, response);
    // Other types are what a form on a foreign page can send without asking first.
    if (!isJson(request.headers['content-type']))
      return answerErrors(response, 415, operations.mask([badInput('Send application/json.')], requestId));
    if (isForTicket(request)) return issueTicket(request, response);
    const viewerNow = await letIn(request);
    const body = await readBody(request);
    await run(parseOperation(body), await viewerNow(), request, response, requestId);
  }

  /** Whoever may not come in has not sent a file either. */
  async function takeUpload(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
    const viewerNow = await letIn(request);
    await using upload = await readUpload(request, options.files);
    await run(upload.operation, await viewerNow(), request, response, requestId);
  }

  /** Refuses before anything is read of a body; it may take minutes to come in, and counts with the rights of then. */
  async function letIn(request: IncomingMessage): Promise<() => Promise<Viewer>> {
    const credential = bearer(request.headers.authorization);
    const viewer = await authenticate(credential, addressOf(request));
    const until = Date.now() + FRESH_MS;
    return async () => (Date.now() < until ? viewer : authenticate(credential, addressOf(request)));
  }

  async function takeGet(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
    const type = request.headers['content-type'];
    if (type !== undefined && !isJson(type))
      return answerErrors(response, 415, operations.mask([badInput('Send no content type with GET.')], requestId));
    const viewer = await authenticate(bearer(request.headers.authorization), addressOf(request));
    await run(operationOfQuery(urlOf(request).searchParams), viewer, request, response, requestId);
  }

  async function run(
    asked: OperationRequest,
    viewer: Viewer,
    request: IncomingMessage,
    response: ServerResponse,
    requestId: string,
  ): Promise<void> {
    const operation = await operations.admit(asked, viewer);
    const accepts = request.headers.accept?.includes(RESPONSE_JSON) ?? false;
    if (isErrors(operation))
      return answer(response, accepts, accepts ? 400 : 200, { errors: operations.mask(operation, requestId) });
    if (operation.node.operation === 'subscription')
      throw badInput('Subscribe over WebSocket, or with Accept: text/event-stream.');
    if (operation.node.operation === 'mutation' && request.method !== 'POST') {
      response.setHeader('allow', 'POST');
      return answerErrors(response, 405, operations.mask([badInput('Send mutations by POST.')], requestId));
    }
    answer(response, accepts, 200, await operations.run(operation, createContext(viewer, requestId)));
  }

  async function issueTicket(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const credential = bearer(request.headers.authorization);
    await authenticate(credential, addressOf(request));
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(JSON.stringify(tickets.issue(credential ?? '', new Date())));
  }
}

/** Shows GraphiQL and answers what is no operation; it runs none. */
function createYogaHandler({ schema, hasGraphiql }: { schema: GraphQLSchema; hasGraphiql: boolean }) {
  return createYoga({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    graphiql: hasGraphiql && { title: 'CDESK Chats', subscriptionsProtocol: 'WS' },
    renderGraphiQL,
    landingPage: false,
    cors: false,
    multipart: false,
    batching: false,
    logging: false,
    plugins: [
      {
        onParams() {
          throw badInput('Send an operation by POST as application/json, or by GET in the query of the address.');
        },
      },
    ],
  });
}

/** A browser that opens the address wants the page, whatever else the address says. */
function isOperation(request: IncomingMessage): boolean {
  const query = urlOf(request).searchParams;
  const isPage = request.headers.accept?.includes('text/html') ?? false;
  return !isPage && (query.has('query') || query.has('documentId') || query.has('extensions'));
}

function isForTicket(request: IncomingMessage): boolean {
  return request.url?.startsWith(TICKET_PATH) ?? false;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function urlOf(request: IncomingMessage): URL {
  return new URL(request.url ?? '/', 'http://localhost');
}

function answer(response: ServerResponse, accepts: boolean, status: number, result: object): void {
  const body = utf8(JSON.stringify(result));
  response.writeHead(status, {
    'content-type': `${accepts ? RESPONSE_JSON : 'application/json'}; charset=utf-8`,
    'content-length': body.length,
  });
  response.end(body);
}
