import * as errors from '../errors.ts';
import { builder } from './builder.ts';
import { ChatPermission } from './enums.ts';
import { globalId } from './global-id.ts';

export const ErrorCode = builder.enumType('ErrorCode', {
  description: 'What kind of failure it is.',
  values: [
    'VALIDATION',
    'NOT_FOUND',
    'FORBIDDEN',
    'MODULE_NOT_LICENSED',
    'MODULE_DISABLED',
    'MODULE_INCOMPLETE',
    'WINDOW_CLOSED',
    'TEMPLATE_NOT_USABLE',
    'TEMPLATE_PARAMETERS',
    'ATTACHMENT_REJECTED',
    'STALE_STATE',
    'IDEMPOTENCY_CONFLICT',
    'DUPLICATE',
    'LIMIT_EXCEEDED',
    'RATE_LIMITED',
    'PROVIDER',
  ] as const,
});

export const UserError = builder.interfaceRef<errors.UserError>('UserError').implement({
  description: 'An expected failure. Nothing was changed.',
  // Each class is named like its type.
  resolveType: (error) => error.constructor.name,
  fields: (t) => ({
    code: t.expose('code', { type: ErrorCode }),
    message: t.exposeString('message', { description: 'A sentence that a person can act on.' }),
    path: t.exposeStringList('path', {
      nullable: true,
      description: 'Where in the input it stands, e.g. ["input", "name"].',
    }),
  }),
});

builder.objectType(errors.ValidationError, {
  name: 'ValidationError',
  description: 'A value breaks a rule.',
  interfaces: [UserError],
  fields: (t) => ({
    rule: t.exposeString('rule', { description: 'Machine-readable name of the rule, e.g. TOO_LONG.' }),
  }),
});

builder.objectType(errors.NotFoundError, {
  name: 'NotFoundError',
  description: 'It does not exist, or the viewer may not see it.',
  interfaces: [UserError],
});

builder.objectType(errors.ForbiddenError, {
  name: 'ForbiddenError',
  description: 'The viewer lacks the right.',
  interfaces: [UserError],
  fields: (t) => ({ required: t.expose('required', { type: ChatPermission, nullable: true }) }),
});

builder.objectType(errors.StaleStateError, {
  name: 'StaleStateError',
  description: 'Somebody or something was faster: read again, then decide.',
  interfaces: [UserError],
  fields: (t) => ({
    currentVersion: t.exposeInt('currentVersion', { nullable: true }),
    latestIncomingMessageId: t.id({
      nullable: true,
      resolve: (error) => (error.latestIncomingMessageId ? globalId('Message', error.latestIncomingMessageId) : null),
    }),
  }),
});

builder.objectType(errors.IdempotencyConflictError, {
  name: 'IdempotencyConflictError',
  description: 'The key was used before for other content.',
  interfaces: [UserError],
  fields: (t) => ({ firstSeenAt: t.expose('firstSeenAt', { type: 'DateTime' }) }),
});

builder.objectType(errors.AttachmentRejectedError, {
  name: 'AttachmentRejectedError',
  description: 'The file cannot be used.',
  interfaces: [UserError],
  fields: (t) => ({
    maxBytes: t.exposeInt('maxBytes', { nullable: true, description: 'Null where its size is not the reason.' }),
    allowedMimeTypes: t.exposeStringList('allowedMimeTypes', {
      description: 'Empty where its type is not the reason.',
    }),
  }),
});

builder.objectType(errors.LimitError, {
  name: 'LimitError',
  description: 'Too many, or too often.',
  interfaces: [UserError],
  fields: (t) => ({
    limit: t.exposeInt('limit', { nullable: true }),
    retryAfterSeconds: t.exposeInt('retryAfterSeconds', { nullable: true }),
  }),
});

builder.objectType(errors.ProviderError, {
  name: 'ProviderError',
  description: 'WhatsApp refused.',
  interfaces: [UserError],
  fields: (t) => ({
    providerCode: t.exposeInt('providerCode', { nullable: true, description: "Meta's error code." }),
    providerTraceId: t.exposeString('providerTraceId', { nullable: true, description: "For Meta's support." }),
    retryable: t.exposeBoolean('retryable'),
  }),
});

/** Runs a change; what it refuses becomes the payload's `errors`, with every other field empty. */
export async function payload<T extends object>(
  change: () => Promise<T>,
): Promise<Partial<T> & { errors: errors.UserError[] }> {
  try {
    return { ...(await change()), errors: [] };
  } catch (error) {
    if (!(error instanceof errors.Failure)) throw error;
    // Every field of a payload but `errors` is nullable or has its own default.
    return { errors: error.errors } as Partial<T> & { errors: errors.UserError[] };
  }
}
