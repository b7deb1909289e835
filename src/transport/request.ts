import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { badInput, Refusal } from '../errors.ts';
import type { OperationRequest } from '../execution/operation.ts';

export const MAX_BODY_BYTES = 256 * 1024;

const variables = z.record(z.string(), z.unknown()).nullish();
const operationRequest = z.object({ query: z.string(), operationName: z.string().nullish(), variables });

/** The body of a POST, or null where it is larger than an operation may be. */
export async function readBody(request: IncomingMessage, maxBytes: number = MAX_BODY_BYTES): Promise<Buffer | null> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return null;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

export function parseOperation(body: Buffer): OperationRequest {
  return checked(parseJson(body.toString('utf8'), 'The body is not JSON.'));
}

export function operationOfQuery(query: URLSearchParams): OperationRequest {
  const told = query.get('variables');
  return checked({
    query: query.get('query'),
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

function checked(value: unknown): OperationRequest {
  const parsed = operationRequest.safeParse(value);
  if (!parsed.success) throw badInput('Send an object with query and, where needed, operationName and variables.');
  return parsed.data;
}

/** Errors of a whole request, with the HTTP status that belongs to them. */
export function answerErrors(response: ServerResponse, status: number, errors: readonly object[]): void {
  if (response.headersSent) return void response.end();
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify({ errors }));
}

export function statusOf(error: unknown): number {
  if (!(error instanceof Refusal)) return 500;
  const statuses: Record<string, number> = { UNAUTHENTICATED: 401, FORBIDDEN: 403, RATE_LIMITED: 429, INTERNAL: 500 };
  return statuses[String(error.extensions.code)] ?? 400;
}
