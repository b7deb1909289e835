import {
  getOperationAST,
  GraphQLError,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLFormattedError,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { actorOf, type Viewer } from '../auth.ts';
import type { Context } from '../context.ts';
import { isUnstorable } from '../db/unstorable.ts';
import { badInput, Refusal } from '../errors.ts';
import type { Log } from '../log.ts';
import { createRunner } from './compiled-query.ts';
import { costOf } from './complexity.ts';
import { traitsOf } from './document-limits.ts';
import { documentLimits, tooMuch } from './limits.ts';
import { LRUCache } from './lru-cache.ts';
import type { Rates, Work } from './rates.ts';
import type { TrustedDocuments } from './trusted-documents.ts';
import { checkVariables } from './variables.ts';
import type { NewSpan, Tracing } from '../tracing/tracing.ts';

/** What a client sends, over whatever transport. */
export type OperationRequest = {
  query?: string | null | undefined;
  /** Hash of a trusted document, instead of its text. */
  documentId?: string | null | undefined;
  operationName?: string | null | undefined;
  variables?: Record<string, unknown> | null | undefined;
};

export type Operation = {
  document: DocumentNode;
  node: OperationDefinitionNode;
  variables: Record<string, unknown>;
  /** The text, for grouping subscriptions that ask the same. */
  text: string;
};

/** One pipeline for HTTP, WebSocket and SSE, so that rights, limits and masking are the same everywhere. */
export type Operations = {
  /**
   * Parses, validates, chooses and measures the operation, before any work for it is done; the errors where it cannot
   * be run. Throws a Refusal where this viewer may not run it, or asks for too much or too often.
   */
  admit(request: OperationRequest, viewer: Viewer): Promise<Operation | readonly GraphQLError[]>;
  /** Runs a query or a mutation. Errors are masked. */
  run(operation: Operation, context: Context): Promise<ExecutionResult>;
  mask(errors: readonly GraphQLError[], requestId: string): GraphQLFormattedError[];
};

export type OperationOptions = {
  schema: GraphQLSchema;
  /** The same schema in the form in which queries are compiled. */
  compilableSchema: () => GraphQLSchema;
  complexity: number;
  documents: TrustedDocuments;
  rates: Rates;
  mayIntrospect: (viewer: Viewer) => boolean;
  /** Told of every error that a client gets, by its code and the limit that was reached. */
  onError?: (code: string, limit: string | null) => void;
  tracing: Tracing;
  log: Log;
};

const MAX_CACHED = 500;

type Read = { tokens: number } & (
  | { errors: readonly GraphQLError[] }
  | { document: DocumentNode; introspects: boolean }
);

export function createOperations(options: OperationOptions): Operations {
  const { schema, documents, rates, log } = options;
  const limits = { ...documentLimits, complexity: options.complexity };
  const known = new LRUCache<string, Read>(MAX_CACHED);
  const execute = createRunner(schema, options.compilableSchema);

  return {
    async admit(request, viewer) {
      const work: Work = { complexity: 0, tokens: 0 };
      try {
        const operation = chooseOperation(request, viewer, work);
        if (isErrors(operation)) return operation;
        work.complexity = costOf(schema, operation, limits);
        return operation;
      } catch (error) {
        if (isMistake(error)) return [error];
        throw error;
      } finally {
        // What is refused was read, too: nonsense has the same limit.
        await rates.spend(actorOf(viewer), work);
      }
    },
    run: (operation, context) =>
      options.tracing.span(spanOf(operation), async () => {
        const result = await execute(operation, context);
        return result.errors ? { ...result, errors: maskAll(result.errors, context.requestId) } : result;
      }),
    mask: (errors, requestId) => maskAll(errors, requestId).map((error) => error.toJSON()),
  };

  function chooseOperation(request: OperationRequest, viewer: Viewer, work: Work): Operation | readonly GraphQLError[] {
    const text = documents.resolve(request);
    const read = readDocument(text, work);
    if ('errors' in read) return read.errors;
    if (read.introspects && !options.mayIntrospect(viewer)) throw introspectionRefused();
    const { document } = read;
    const node = getOperationAST(document, request.operationName);
    if (!node) return [badInput('Name one of the operations of the document in operationName.', 'operationName')];
    const variables = request.variables ?? {};
    checkVariables(variables);
    return { document, node, variables, text };
  }

  function maskAll(errors: readonly GraphQLError[], requestId: string): GraphQLError[] {
    return errors.map((error) => {
      const shownError = maskedOne(error, requestId, log);
      const { code, limit } = shownError.extensions;
      options.onError?.(String(code), typeof limit === 'string' ? limit : null);
      return shownError;
    });
  }

  function readDocument(text: string, work: Work): Read {
    if (text.length > limits.length)
      return { tokens: 0, errors: [badInput(`A document has at most ${limits.length} characters.`, 'query')] };
    const held = known.get(text);
    if (held) return held;
    const read = parseAndValidate(text);
    known.set(text, read);
    work.tokens = read.tokens;
    return read;
  }

  function parseAndValidate(text: string): Read {
    try {
      const document = parse(text, { maxTokens: limits.tokens });
      const { refusal, introspects } = traitsOf(document, limits);
      const errors = refusal ? [refusal] : validate(schema, document, specifiedRules);
      const { tokenCount: tokens = 0 } = document;
      return errors.length > 0 ? { tokens, errors } : { tokens, document, introspects };
    } catch (error) {
      return { tokens: 0, errors: [parseError(error)] };
    }
  }
}

/** The name that the document gives it; its text and its variables may hold anything. */
function spanOf({ node }: Operation): NewSpan {
  const { operation, name } = node;
  return {
    name: operation,
    attributes: { 'graphql.operation.type': operation, 'graphql.operation.name': name?.value ?? '' },
  };
}

function parseError(error: unknown): GraphQLError {
  if (!(error instanceof GraphQLError)) return badInput('The document cannot be parsed.', 'query');
  const { tokens } = documentLimits;
  return error.message.includes(`more that ${tokens} tokens`) ? tooMuch('tokens', null, tokens) : error;
}

function introspectionRefused(): Refusal {
  return new Refusal('FORBIDDEN', 'The schema is not shown here.', { limit: 'introspection' });
}

/** Variables that do not fit, which graphql-js finds while the operation is measured. */
function isMistake(error: unknown): error is GraphQLError {
  return error instanceof GraphQLError && !(error instanceof Refusal);
}

export function isErrors(value: object): value is readonly GraphQLError[] {
  return Array.isArray(value);
}

/** What clients may read passes; anything else is logged once and masked. */
function maskedOne(error: GraphQLError | undefined, requestId: string, log: Log): GraphQLError {
  if (error && isMeantForClients(error)) return shown(error);
  if (isUnstorable(error?.originalError))
    return placed(error, 'A text holds the character U+0000, which cannot be stored.', { code: 'BAD_USER_INPUT' });
  log.error({ err: error?.originalError ?? error, requestId, path: error?.path?.join('.') }, 'an operation failed');
  return placed(error, 'Something went wrong on our side.', { code: 'INTERNAL', requestId });
}

/** Says something else at the place of the error. */
function placed(error: GraphQLError | undefined, message: string, extensions: Record<string, unknown>): GraphQLError {
  const { nodes, source, positions, path } = error ?? {};
  return new GraphQLError(message, { nodes, source, positions, path, extensions });
}

/** Syntax, validation and coercion have no path; in a resolver only what carries a code was thrown on purpose. */
function isMeantForClients(error: GraphQLError): boolean {
  const cause = error.originalError;
  if (cause !== undefined && !(cause instanceof GraphQLError)) return false;
  return error.path === undefined || error.extensions.code !== undefined;
}

/** Errors of GraphQL itself (syntax, validation, coercion) get the code of a caller's mistake. */
function shown(error: GraphQLError): GraphQLError {
  const { http: _, ...extensions } = error.extensions;
  const code = extensions.code ?? 'BAD_USER_INPUT';
  return placed(error, withoutValues(error.message), { ...extensions, code });
}

/** GraphQL quotes what does not fit, and with one field missing the whole input: secrets and messages among it. */
function withoutValues(message: string): string {
  const quoted = message.indexOf(':', Math.max(message.indexOf(' cannot represent '), 0));
  const told = message.includes(' cannot represent ') && quoted !== -1 ? `${message.slice(0, quoted)}.` : message;
  const start = told.indexOf('got invalid value ');
  const end = told.lastIndexOf('; ');
  if (start === -1 || end < start) return told;
  const place = / at "[^"]*"$/.exec(told.slice(Math.max(start, end - MAX_PLACE_LENGTH), end))?.[0] ?? '';
  return `${told.slice(0, start)}got a value that does not fit${place}${told.slice(end)}`;
}

const MAX_PLACE_LENGTH = 200;

/** A refusal as the errors of an operation. */
export function errorsOf(error: unknown): readonly GraphQLError[] {
  if (error instanceof GraphQLError) return [error];
  return [new GraphQLError('', { originalError: error instanceof Error ? error : new Error(String(error)) })];
}
