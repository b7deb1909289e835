import { rule } from './error-codes.ts';
import type { BackOffScope } from './error-codes.ts';
import { classifyMetaError, ownFailure, parseMetaError, withoutSecrets } from './error.ts';
import type { MetaFailure } from './error.ts';
import type { Usage } from './usage.ts';

/** Why it is not known whether Meta took the request. */
export type UnknownReason = 'timeout' | 'connection-lost' | 'server-error' | 'unreadable-answer';

export type Failed =
  | { kind: 'temporary'; error: MetaFailure; scope: BackOffScope; retryAfterMs: number | null; usage: Usage | null }
  | { kind: 'permanent'; error: MetaFailure; usage: Usage | null }
  | { kind: 'channel'; error: MetaFailure; scope: BackOffScope; usage: Usage | null }
  | { kind: 'window-closed'; error: MetaFailure; usage: Usage | null };

export type Unknown = { kind: 'unknown'; reason: UnknownReason; detail: string; usage: Usage | null };

/** Of a call that may be repeated without harm: what is unknown there is temporary. */
export type CallOutcome<T> = { kind: 'ok'; value: T; usage: Usage | null } | Failed;

/** An HTTP answer, read to its end. `body` is undefined where it is not JSON. */
export type Answer = { httpStatus: number; body: unknown; retryAfterMs: number | null; usage: Usage | null };

const notSent = rule('temporary', {
  scope: 'app',
  delaysMs: [2_000, 5_000, 15_000, 60_000],
  maxRetries: 60,
  meaning: 'WhatsApp could not be reached. The message was not sent; it is sent again by itself.',
});
const tooMany = rule('temporary', {
  scope: 'app',
  delaysMs: [5_000, 30_000, 60_000],
  maxRetries: 20,
  meaning: 'Too many requests reached WhatsApp. The message is sent again by itself.',
});
const notTheGraphApi = rule('channel', {
  scope: 'app',
  meaning: 'The address of the WhatsApp API does not answer as WhatsApp does. Check the address and the proxy.',
});
const refusedOnTheWay = 'The request was refused on the way to WhatsApp.';
const repeatable = rule('temporary', {
  delaysMs: [2_000, 10_000, 60_000],
  meaning: 'WhatsApp did not answer properly. It is tried again by itself.',
});

/** 408 comes from a proxy that gave up waiting, and tells nothing about what it has passed on. */
const undecided = new Set([408]);
const wrongPlace = new Set([401, 403, 404, 405, 407]);

/** What an answer that does not carry the expected result means. Only Meta's own JSON proves a refusal of 5xx. */
export function failedAnswer(answer: Answer, secrets: readonly string[]): Failed | Unknown {
  const error = parseMetaError(answer.body, secrets);
  if (error !== null) return failed(classifyMetaError(error, answer.httpStatus), answer);
  const status = answer.httpStatus;
  if (status >= 500 || undecided.has(status))
    return unknown('server-error', `HTTP ${status} without an error of WhatsApp`, answer.usage);
  if (status < 300) return unknown('unreadable-answer', `HTTP ${status} with a body that cannot be read`, answer.usage);
  if (status === 429) return failed(ownFailure(tooMany, null, status), answer);
  if (status >= 400 && !wrongPlace.has(status)) return refusedFailure(refusedOnTheWay, status);
  return failed(ownFailure(notTheGraphApi, `HTTP ${status}`, status), answer);
}

/** The network failed before any byte of the request left: safe to repeat. */
export function neverSent(detail: string, secrets: readonly string[]): Failed {
  return failed(ownFailure(notSent, withoutSecrets(detail, secrets)), null);
}

export function unknown(reason: UnknownReason, detail: string, usage: Usage | null = null): Unknown {
  return { kind: 'unknown', reason, detail, usage };
}

/** Reading, uploading and marking may be repeated: an unknown outcome costs nothing there. */
export function repeatableFailure(outcome: Failed | Unknown): Failed {
  if (outcome.kind !== 'unknown') return outcome;
  const error = ownFailure(repeatable, outcome.detail);
  return { kind: 'temporary', error, scope: 'message', retryAfterMs: null, usage: outcome.usage };
}

/** For addressed objects other than the business number, a missing one says nothing about the channel. */
export function missingIsPermanent(outcome: Failed): Failed {
  if (outcome.kind !== 'channel' || outcome.error.rule.effect !== 'object-missing') return outcome;
  return { kind: 'permanent', error: outcome.error, usage: outcome.usage };
}

export function refusedFailure(meaning: string, httpStatus: number | null = null): Failed {
  const error = ownFailure(rule('permanent', { meaning }), null, httpStatus);
  return { kind: 'permanent', error, usage: null };
}

function failed(error: MetaFailure, answer: Answer | null): Failed {
  const { scope } = error.rule;
  const usage = answer?.usage ?? null;
  if (error.rule.class === 'temporary')
    return { kind: 'temporary', error, scope, retryAfterMs: pause(error, answer), usage };
  if (error.rule.class === 'channel') return { kind: 'channel', error, scope, usage };
  return { kind: error.rule.class, error, usage };
}

// A limit of calls names the minutes until it is lifted; asking earlier only prolongs it.
function pause(error: MetaFailure, answer: Answer | null): number | null {
  const isCallLimit = error.rule.scope === 'app' || error.rule.scope === 'account';
  const regainMs = isCallLimit ? (answer?.usage?.minutesToRegain ?? 0) * 60_000 : 0;
  const longestMs = Math.max(answer?.retryAfterMs ?? 0, regainMs);
  return longestMs > 0 ? longestMs : null;
}
