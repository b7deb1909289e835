import type { IncomingMessage, ServerResponse } from 'node:http';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import type { GraphQLSchema } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import { v7 as uuid } from 'uuid';
import { bearer, type Authenticate, type Viewer } from '../auth.ts';
import type { Context } from '../context.ts';
import { badInput } from '../errors.ts';
import { errorsOf, isErrors, type OperationRequest, type Operations } from '../execution/operation.ts';
import type { FileStore } from '../files/file-store.ts';
import type { AddressOf } from './address.ts';
import { answerErrors, parseOperation, readBody, statusOf } from './request.ts';
import type { Tickets } from './ticket.ts';
import { CSRF_HEADER_LIST, isMultipart, readUpload } from './upload.ts';

export const GRAPHQL_PATH = '/graphql';
export const TICKET_PATH = '/graphql/ticket';

const RESPONSE_JSON = 'application/graphql-response+json';

export type GraphqlRoute = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * GraphQL over HTTP. A plain JSON POST, which is nearly everything, takes a short way of our own: yoga costs 0.4 ms of
 * CPU per request before any work. GraphiQL and queries by GET go through yoga.
 */
export function createGraphqlRoute(options: {
  schema: GraphQLSchema;
  operations: Operations;
  authenticate: Authenticate;
  tickets: Tickets;
  createContext: (viewer: Viewer | null, requestId: string) => Context;
  isOriginAllowed: (origin: string | undefined) => boolean;
  addressOf: AddressOf;
  files: FileStore;
  hasGraphiql: boolean;
}): GraphqlRoute {
  const { operations, authenticate, tickets, createContext, addressOf } = options;
  const yoga = createYogaHandler(options);

  return async (request, response) => {
    const requestId = uuid();
    response.setHeader('x-request-id', requestId);
    if (!allowOrigin(options.isOriginAllowed, request, response)) return;
    try {
      if (request.method !== 'POST') {
        await yoga(request, response);
        return;
      }
      if (isMultipart(request)) return await runUpload(request, response, requestId);
      if (!isJson(request))
        return answerErrors(response, 415, operations.mask([badInput('Send application/json.')], requestId));
      if (request.url?.startsWith(TICKET_PATH)) return await issueTicket(request, response);
      await runPost(request, response, requestId);
    } catch (error) {
      answerErrors(response, statusOf(error), operations.mask(errorsOf(error), requestId));
    }
  };

  async function runPost(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
    const body = await readBody(request);
    if (!body) {
      response.setHeader('connection', 'close');
      return answerErrors(response, 413, operations.mask([badInput('The body is too large.')], requestId));
    }
    const viewer = await authenticate(bearer(request.headers.authorization), addressOf(request));
    await runOperation(request, response, { requestId, viewer, asked: parseOperation(body) });
  }

  /** Whoever may not come in has not sent a file either. */
  async function runUpload(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
    const viewer = await authenticate(bearer(request.headers.authorization), addressOf(request));
    await using upload = await readUpload(request, options.files);
    await runOperation(request, response, { requestId, viewer, asked: upload.operation });
  }

  async function runOperation(
    request: IncomingMessage,
    response: ServerResponse,
    { requestId, viewer, asked }: { requestId: string; viewer: Viewer; asked: OperationRequest },
  ): Promise<void> {
    const operation = operations.prepare(asked);
    const accepts = request.headers.accept?.includes(RESPONSE_JSON) ?? false;
    if (isErrors(operation))
      return answer(response, accepts, accepts ? 400 : 200, { errors: operations.mask(operation, requestId) });
    if (operation.node.operation === 'subscription')
      throw badInput('Subscribe over WebSocket, or with Accept: text/event-stream.');
    const result = await operations.run(operation, createContext(viewer, requestId));
    answer(response, accepts, 200, result);
  }

  async function issueTicket(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const credential = bearer(request.headers.authorization);
    await authenticate(credential, addressOf(request));
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(JSON.stringify(tickets.issue(credential ?? '')));
  }
}

function createYogaHandler({
  schema,
  operations,
  authenticate,
  createContext,
  addressOf,
  hasGraphiql,
}: Parameters<typeof createGraphqlRoute>[0]) {
  return createYoga<{ req: IncomingMessage }, Context>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    graphiql: hasGraphiql && { title: 'CDESK Chats', subscriptionsProtocol: 'WS' },
    renderGraphiQL,
    landingPage: false,
    cors: false,
    multipart: false,
    batching: false,
    logging: false,
    maskedErrors: {
      // The one place where errors are masked is ours.
      maskError: (error) => operations.maskOne(error, uuid()),
    },
    plugins: [sharedRules(operations)],
    async context({ req }) {
      return createContext(await authenticate(bearer(req.headers.authorization), addressOf(req)), uuid());
    },
  });
}

/** Parsed, validated and limited like everywhere else. */
function sharedRules(operations: Operations): Plugin {
  return {
    onParse({ setParsedDocument, params }) {
      const document = operations.document(String(params.source));
      if (isErrors(document)) throw document[0] ?? badInput('The document is empty.');
      setParsedDocument(document);
    },
  };
}

function isJson({ headers }: IncomingMessage): boolean {
  return /^application\/(graphql\+)?json\s*(;|$)/i.test(headers['content-type'] ?? '');
}

/** Only listed origins may read answers; others get none of CORS' headers, and a preflight fails. */
function allowOrigin(
  isOriginAllowed: (origin: string | undefined) => boolean,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { origin } = request.headers;
  if (origin && isOriginAllowed(origin)) {
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('vary', 'Origin');
  }
  if (request.method !== 'OPTIONS') return true;
  response.setHeader('access-control-allow-methods', 'GET, POST');
  response.setHeader('access-control-allow-headers', `authorization, content-type, last-event-id, ${CSRF_HEADER_LIST}`);
  response.setHeader('access-control-max-age', '600');
  response.writeHead(204).end();
  return false;
}

function answer(response: ServerResponse, accepts: boolean, status: number, result: object): void {
  response.writeHead(status, { 'content-type': `${accepts ? RESPONSE_JSON : 'application/json'}; charset=utf-8` });
  response.end(JSON.stringify(result));
}
