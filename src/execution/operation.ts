import {
  execute,
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
  type ValidationRule,
} from 'graphql';
import { LRUCache } from './lru-cache.ts';
import type { Context } from '../context.ts';
import { badInput } from '../errors.ts';
import type { Log } from '../log.ts';

/** What a client sends, over whatever transport. */
export type OperationRequest = {
  query: string;
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
  /** Parses, validates and chooses the operation; the errors where it cannot be run. */
  prepare(request: OperationRequest): Operation | readonly GraphQLError[];
  /** Runs a query or a mutation. Errors are masked. */
  run(operation: Operation, context: Context): Promise<ExecutionResult>;
  mask(errors: readonly GraphQLError[], requestId: string): GraphQLFormattedError[];
  maskOne(error: unknown, requestId: string): GraphQLError;
  /** A document that passes every rule, or the errors that it breaks. */
  document(query: string): DocumentNode | readonly GraphQLError[];
};

const MAX_TOKENS = 2_000;
const MAX_CACHED = 500;
const MAX_QUERY_LENGTH = 64 * 1024;

export function createOperations(options: {
  schema: GraphQLSchema;
  rules?: readonly ValidationRule[];
  log: Log;
}): Operations {
  const { schema, log } = options;
  const rules = [...specifiedRules, ...(options.rules ?? [])];
  const documents = new LRUCache<string, DocumentNode | readonly GraphQLError[]>(MAX_CACHED);

  return {
    prepare(request) {
      const document = read(request.query);
      if (isErrors(document)) return document;
      const node = getOperationAST(document, request.operationName);
      if (!node) return [badInput('Name one of the operations of the document in operationName.', 'operationName')];
      return { document, node, variables: request.variables ?? {}, text: request.query };
    },
    async run({ document, node, variables }, context) {
      const result = await execute({
        schema,
        document,
        operationName: node.name?.value,
        variableValues: variables,
        contextValue: context,
      });
      return result.errors ? { ...result, errors: masked(result.errors, context.requestId, log) } : result;
    },
    mask: (errors, requestId) => masked(errors, requestId, log).map((error) => error.toJSON()),
    maskOne: (error, requestId) => maskedOne(errorsOf(error)[0], requestId, log),
    document: read,
  };

  function read(query: string): DocumentNode | readonly GraphQLError[] {
    if (query.length > MAX_QUERY_LENGTH)
      return [badInput(`A document has at most ${MAX_QUERY_LENGTH} characters.`, 'query')];
    const known = documents.get(query);
    if (known) return known;
    const document = parseAndValidate(query);
    documents.set(query, document);
    return document;
  }

  function parseAndValidate(query: string): DocumentNode | readonly GraphQLError[] {
    try {
      const document = parse(query, { maxTokens: MAX_TOKENS });
      const errors = validate(schema, document, rules);
      return errors.length > 0 ? errors : document;
    } catch (error) {
      return [error instanceof GraphQLError ? error : badInput('The document cannot be parsed.', 'query')];
    }
  }
}

export function isErrors(value: object): value is readonly GraphQLError[] {
  return Array.isArray(value);
}

function masked(errors: readonly GraphQLError[], requestId: string, log: Log): GraphQLError[] {
  return errors.map((error) => maskedOne(error, requestId, log));
}

/** What clients may read passes; anything else is logged once and masked. */
function maskedOne(error: GraphQLError | undefined, requestId: string, log: Log): GraphQLError {
  if (error && isMeantForClients(error)) return shown(error);
  log.error({ err: error?.originalError ?? error, requestId, path: error?.path?.join('.') }, 'an operation failed');
  const { nodes, source, positions, path } = error ?? {};
  return new GraphQLError('Something went wrong on our side.', {
    nodes,
    source,
    positions,
    path,
    extensions: { code: 'INTERNAL', requestId },
  });
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
  const { message, nodes, source, positions, path } = error;
  return new GraphQLError(message, { nodes, source, positions, path, extensions: { ...extensions, code } });
}

/** A refusal as the errors of an operation. */
export function errorsOf(error: unknown): readonly GraphQLError[] {
  if (error instanceof GraphQLError) return [error];
  return [new GraphQLError('', { originalError: error instanceof Error ? error : new Error(String(error)) })];
}
