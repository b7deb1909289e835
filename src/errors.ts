import { GraphQLError } from 'graphql';
import type { ChatPermission } from './generated/prisma/enums.ts';

/** Codes of refusals that end an operation (`errors[].extensions.code`). */
export type RefusalCode =
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'MODULE_NOT_LICENSED'
  | 'MODULE_DISABLED'
  | 'BAD_USER_INPUT'
  | 'COMPLEXITY_LIMIT'
  | 'RATE_LIMITED'
  | 'CURSOR_EXPIRED'
  | 'STREAM_LAGGED'
  | 'INTERNAL';

/** Ends the operation, or empties the field that it refuses. Its message and extensions are meant for the client. */
export class Refusal extends GraphQLError {
  constructor(code: RefusalCode, message: string, extensions: Record<string, unknown> = {}) {
    super(message, { extensions: { code, ...extensions } });
    this.name = 'Refusal';
  }
}

export function unauthenticated(message = 'Sign in: a valid token is required.'): Refusal {
  return new Refusal('UNAUTHENTICATED', message, { http: { status: 401 } });
}

export function forbidden(message: string, required?: ChatPermission, argument?: string): Refusal {
  return new Refusal('FORBIDDEN', message, { ...(required && { required }), ...(argument && { argument }) });
}

export function badInput(message: string, argument?: string): Refusal {
  return new Refusal('BAD_USER_INPUT', message, argument ? { argument } : {});
}

export type ErrorCode =
  | 'VALIDATION'
  | 'NOT_FOUND'
  | 'FORBIDDEN'
  | 'MODULE_NOT_LICENSED'
  | 'MODULE_DISABLED'
  | 'MODULE_INCOMPLETE'
  | 'WINDOW_CLOSED'
  | 'TEMPLATE_NOT_USABLE'
  | 'TEMPLATE_PARAMETERS'
  | 'ATTACHMENT_REJECTED'
  | 'STALE_STATE'
  | 'IDEMPOTENCY_CONFLICT'
  | 'DUPLICATE'
  | 'LIMIT_EXCEEDED'
  | 'RATE_LIMITED'
  | 'PROVIDER';

/** An expected failure of a mutation: data for the client, in the payload's `errors`. */
export abstract class UserError {
  readonly code: ErrorCode;
  /** A sentence that a person can act on. */
  readonly message: string;
  /** Where in the input it stands, e.g. ["input", "name"]. */
  readonly path: string[] | null;

  constructor(code: ErrorCode, message: string, path: string[] | null = null) {
    this.code = code;
    this.message = message;
    this.path = path;
  }
}

export class ValidationError extends UserError {
  /** Machine-readable name of the broken rule, e.g. TOO_LONG. */
  readonly rule: string;

  constructor(rule: string, message: string, path: string[] | null = null) {
    super('VALIDATION', message, path);
    this.rule = rule;
  }
}

export class NotFoundError extends UserError {
  constructor(message: string, path: string[] | null = null) {
    super('NOT_FOUND', message, path);
  }
}

export class ForbiddenError extends UserError {
  readonly required: ChatPermission | null;

  constructor(message: string, required: ChatPermission | null = null) {
    super('FORBIDDEN', message);
    this.required = required;
  }
}

export type ModuleProblemCode = 'MODULE_NOT_LICENSED' | 'MODULE_DISABLED' | 'MODULE_INCOMPLETE';

export class ModuleUnavailableError extends UserError {
  /** Keys of the setup steps that are not complete. */
  readonly missingStepKeys: string[];

  constructor(code: ModuleProblemCode, message: string, missingStepKeys: string[] = []) {
    super(code, message);
    this.missingStepKeys = missingStepKeys;
  }
}

export class WindowClosedError extends UserError {
  readonly conversationId: string;

  constructor(conversationId: string) {
    super('WINDOW_CLOSED', 'The 24-hour window of this conversation is closed: only a template can be sent.');
    this.conversationId = conversationId;
  }
}

export class TemplateNotUsableError extends UserError {
  readonly templateId: string | null;

  constructor(message: string, templateId: string | null) {
    super('TEMPLATE_NOT_USABLE', message);
    this.templateId = templateId;
  }
}

export class TemplateParameterError extends UserError {
  readonly missing: string[];
  readonly unexpected: string[];
  readonly invalid: string[];

  constructor(problems: { missing: string[]; unexpected: string[]; invalid: string[] }) {
    super('TEMPLATE_PARAMETERS', 'The values do not fit the variables of the template.', ['input', 'parameters']);
    this.missing = problems.missing;
    this.unexpected = problems.unexpected;
    this.invalid = problems.invalid;
  }
}

export class AttachmentRejectedError extends UserError {
  readonly maxBytes: number | null;
  readonly allowedMimeTypes: string[];

  constructor(
    message: string,
    limits: { maxBytes?: number; allowedMimeTypes?: string[] } = {},
    path: string[] | null = null,
  ) {
    super('ATTACHMENT_REJECTED', message, path);
    this.maxBytes = limits.maxBytes ?? null;
    this.allowedMimeTypes = limits.allowedMimeTypes ?? [];
  }
}

export class StaleStateError extends UserError {
  readonly currentVersion: number | null;
  readonly latestIncomingMessageId: string | null;

  constructor(message: string, state: { currentVersion?: number; latestIncomingMessageId?: string | null } = {}) {
    super('STALE_STATE', message);
    this.currentVersion = state.currentVersion ?? null;
    this.latestIncomingMessageId = state.latestIncomingMessageId ?? null;
  }
}

export class IdempotencyConflictError extends UserError {
  readonly firstSeenAt: Date;

  constructor(firstSeenAt: Date) {
    super('IDEMPOTENCY_CONFLICT', 'This idempotency key was already used for other content.', [
      'input',
      'idempotencyKey',
    ]);
    this.firstSeenAt = firstSeenAt;
  }
}

export class LimitError extends UserError {
  readonly limit: number | null;
  readonly retryAfterSeconds: number | null;

  constructor(
    code: 'LIMIT_EXCEEDED' | 'RATE_LIMITED' | 'DUPLICATE',
    message: string,
    limits: { limit?: number; retryAfterSeconds?: number } = {},
    path: string[] | null = null,
  ) {
    super(code, message, path);
    this.limit = limits.limit ?? null;
    this.retryAfterSeconds = limits.retryAfterSeconds ?? null;
  }
}

export class ProviderError extends UserError {
  readonly providerCode: number | null;
  readonly providerTraceId: string | null;
  readonly retryable: boolean;

  constructor(message: string, provider: { code?: number | null; traceId?: string | null; retryable: boolean }) {
    super('PROVIDER', message);
    this.providerCode = provider.code ?? null;
    this.providerTraceId = provider.traceId ?? null;
    this.retryable = provider.retryable;
  }
}

/** Thrown by services; carries every problem at once. The mutation that catches it changed nothing. */
export class Failure extends Error {
  readonly errors: UserError[];

  constructor(...errors: UserError[]) {
    super(errors.map((error) => error.message).join(' '));
    this.name = 'Failure';
    this.errors = errors;
  }
}
