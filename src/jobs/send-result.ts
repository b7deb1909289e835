import type { Unsent } from '../db/statements/send-queue.ts';
import { numberScope } from '../db/statements/send-budget.ts';
import { retryDelayMs, type MetaFailure } from '../meta/error.ts';
import type { BackOffScope } from '../meta/error-codes.ts';
import type { Failed } from '../meta/outcome.ts';
import type { SendOutcome } from '../meta/send.ts';
import { sendingStopped, type NewChannelProblem } from '../services/channel-problems.ts';
import type { Problem } from '../services/outgoing.ts';
import type { Pause, SendResult } from '../services/sending.ts';

/** What Meta's answer means for the message, and for everybody who shares its limits. */
export function resultOf(outcome: SendOutcome, unsent: Unsent, now: Date): SendResult {
  switch (outcome.kind) {
    case 'accepted':
      return { kind: 'accepted', providerId: outcome.providerId, waId: outcome.waId };
    case 'unknown':
      return { kind: 'unknown' };
    case 'temporary':
      return laterOf(outcome, unsent, now);
    case 'channel':
      return { kind: 'stopped', trouble: troubleOf(outcome, unsent), problem: problemOf(outcome.error) };
    case 'permanent':
    case 'window-closed':
      return { kind: 'refused', problem: problemOf(outcome.error) };
  }
}

export function problemOf({ code, title, detail }: MetaFailure): Problem {
  return { code, title, detail };
}

export function troubleOf(
  { error, scope }: Extract<Failed, { kind: 'channel' }>,
  { businessNumberId }: Pick<Unsent, 'businessNumberId'>,
): NewChannelProblem {
  return sendingStopped({ meaning: error.rule.meaning, isOfNumber: scope === 'number' }, error.code, businessNumberId);
}

function laterOf(outcome: Extract<Failed, { kind: 'temporary' }>, unsent: Unsent, now: Date): SendResult {
  const delayMs = retryDelayMs(outcome.error.rule, unsent.attempts);
  const problem = problemOf(outcome.error);
  if (delayMs === null) return { kind: 'refused', problem };
  const until = new Date(now.getTime() + Math.max(delayMs, outcome.retryAfterMs ?? 0));
  const scope = scopeOf(outcome.scope, unsent);
  return { kind: 'later', notBefore: scope ? null : until, pause: scope && { scope, until }, problem };
}

/** Null: only the message itself waits. */
function scopeOf(scope: BackOffScope, { businessNumberId }: Unsent): Pause['scope'] | null {
  if (scope === 'message') return null;
  return scope === 'number' ? numberScope(businessNumberId) : scope;
}
