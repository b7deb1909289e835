import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { badInput, Refusal } from '../errors.ts';
import { errorsOf, type OperationRequest, type Operations } from '../execution/operation.ts';

export const RESPONSE_JSON = 'application/graphql-response+json';

export const MAX_BODY_BYTES = 256 * 1024;

const variables = z.record(z.string(), z.unknown()).nullish();
const persistedQuery = z.object({ sha256Hash: z.string() });
const operationRequest = z
  .object({
    query: z.string().nullish(),
    documentId: z.string().nullish(),
    operationName: z.string().nullish(),
    variables,
    extensions: z
      .looseObject({ documentId: z.string().optional(), persistedQuery: persistedQuery.optional() })
      .nullish(),
  })
  .transform(({ extensions, ...request }) => ({
    ...request,
    // Clients that can add no field of their own send the hash where persisted queries have it.
    documentId: request.documentId ?? extensions?.documentId ?? extensions?.persistedQuery?.sha256Hash ?? null,
  }));

export function isJson(contentType: string | undefined): boolean {
  return /^application\/(graphql\+)?json\s*(;|$)/i.test(contentType ?? '');
}

/** The body of a POST; refuses one that is larger than an operation may be, as soon as that is known. */
export async function readBody(request: IncomingMessage, maxBytes: number = MAX_BODY_BYTES): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

function tooLarge(maxBytes: number): Refusal {
  return new Refusal('BAD_USER_INPUT', `The body has more than ${maxBytes} bytes.`, { limit: 'body' });
}

export function parseOperation(body: Buffer): OperationRequest {
  return checkedOperation(parseJson(body.toString('utf8'), 'The body is not JSON.'));
}

export function operationOfQuery(query: URLSearchParams): OperationRequest {
  const told = query.get('variables');
  return checkedOperation({
    query: query.get('query'),
    documentId: query.get('documentId'),
    operationName: query.get('operationName'),
    variables: told === null ? null : parseJson(told, 'variables is not JSON.'),
  });
}

function parseJson(text: string, problem: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badInput(problem);
  }
}

export function checkedOperation(value: unknown): OperationRequest {
  if (Array.isArray(value)) throw badInput('Send one operation at a time: batches are refused.');
  const parsed = operationRequest.safeParse(value);
  if (!parsed.success) throw badInput('Send an object with query and, where needed, operationName and variables.');
  return parsed.data;
}

/** Errors of a whole request, with the HTTP status that belongs to them. */
export function answerErrors(response: ServerResponse, status: number, errors: readonly object[]): void {
  if (response.headersSent) return void response.end();
  const type = response.req.headers.accept?.includes(RESPONSE_JSON) ? RESPONSE_JSON : 'application/json';
  response.writeHead(status, { 'content-type': `${type}; charset=utf-8` });
  response.end(JSON.stringify({ errors }));
}

/** What ends a whole request: masked, with its status, and with the time to wait where there is one. */
export function answerRefusal(
  response: ServerResponse,
  error: unknown,
  operations: Operations,
  requestId: string,
): void {
  // Gone in the middle of asking: there is nobody to answer, and it is no fault of ours.
  if (response.destroyed) return;
  const seconds = error instanceof Refusal ? error.extensions.retryAfterSeconds : undefined;
  if (typeof seconds === 'number' && !response.headersSent) response.setHeader('retry-after', String(seconds));
  // What is left of a body that is too large is not waited for.
  if (statusOf(error) === 413 && !response.headersSent) response.setHeader('connection', 'close');
  answerErrors(response, statusOf(error), operations.mask(errorsOf(error), requestId));
}

function statusOf(error: unknown): number {
  if (!(error instanceof Refusal)) return 500;
  if (error.extensions.limit === 'body') return 413;
  const statuses: Record<string, number> = { UNAUTHENTICATED: 401, FORBIDDEN: 403, RATE_LIMITED: 429, INTERNAL: 500 };
  return statuses[String(error.extensions.code)] ?? 400;
}
