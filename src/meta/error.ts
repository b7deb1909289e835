import { z } from 'zod';
import { metaErrorRule, rule } from './error-codes.ts';
import type { MetaErrorRule } from './error-codes.ts';

/** Meta's error as it came, without secrets. */
export type MetaError = {
  code: number;
  subcode: number | null;
  title: string;
  detail: string | null;
  traceId: string | null;
  /** Meta's own word on whether waiting helps; often missing. */
  isTransient: boolean | null;
};

/** `code` is null when the failure is not one of Meta's: the network, a proxy, our own limits. */
export type MetaFailure = Omit<MetaError, 'code'> & {
  code: number | null;
  httpStatus: number | null;
  rule: MetaErrorRule;
};

const errorBody = z.object({
  error: z.object({
    code: z.coerce.number().int(),
    error_subcode: z.coerce.number().int().optional().catch(undefined),
    message: z.string().catch(''),
    error_user_title: z.string().optional().catch(undefined),
    error_user_msg: z.string().optional().catch(undefined),
    is_transient: z.boolean().optional().catch(undefined),
    fbtrace_id: z.string().optional().catch(undefined),
    error_data: z.object({ details: z.string() }).optional().catch(undefined),
  }),
});

/** Null if the body is not an error of Meta's: such an answer may come from anything between us and Meta. */
export function parseMetaError(body: unknown, secrets: readonly string[] = []): MetaError | null {
  const parsed = errorBody.safeParse(body);
  if (!parsed.success) return null;

  const { error } = parsed.data;
  const detail = error.error_data?.details ?? error.error_user_msg ?? null;
  return {
    code: error.code,
    subcode: error.error_subcode ?? null,
    title: withoutSecrets(error.message || error.error_user_title || `Error ${error.code}`, secrets),
    detail: detail === null ? null : withoutSecrets(detail, secrets),
    traceId: error.fbtrace_id ?? null,
    isTransient: error.is_transient ?? null,
  };
}

/**
 * What to do about an error that Meta reported, in an answer or in a `failed` status (HTTP status null).
 * A code that is not listed is temporary only when Meta itself says so or blames its server.
 */
export function classifyMetaError(error: MetaError, httpStatus: number | null): MetaFailure {
  return { ...error, httpStatus, rule: metaErrorRule(error.code, error.subcode) ?? unlisted(error, httpStatus) };
}

/** Pause before the repeat that follows `attempts` attempts; null when there should be none. */
export function retryDelayMs(rule: MetaErrorRule, attempts: number): number | null {
  if (attempts < 1 || attempts > rule.maxRetries) return null;
  return rule.delaysMs[Math.min(attempts, rule.delaysMs.length) - 1] ?? null;
}

export function ownFailure(rule: MetaErrorRule, detail: string | null, httpStatus: number | null = null): MetaFailure {
  return { code: null, subcode: null, title: rule.meaning, detail, traceId: null, isTransient: null, httpStatus, rule };
}

/** Meta repeats a malformed token in its message ("Malformed access token EAA…"). */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const masked = secrets.filter((secret) => secret !== '').reduce((all, secret) => all.replaceAll(secret, '***'), text);
  return masked.replaceAll(/\bEA[A-Za-z][A-Za-z0-9]{8,}/g, '***');
}

function unlisted(error: MetaError, httpStatus: number | null): MetaErrorRule {
  const isTemporary = error.isTransient ?? (httpStatus !== null && httpStatus >= 500);
  if (!isTemporary) return rule('permanent', { meaning: 'WhatsApp refused the message. The detail says why.' });
  return rule('temporary', {
    delaysMs: [5_000, 30_000, 120_000],
    meaning: 'WhatsApp failed for an unknown reason. It is tried a few times again.',
  });
}
