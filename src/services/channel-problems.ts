import type { Database } from '../db/database.ts';
import type { Transaction } from '../db/transaction.ts';
import type { ChannelProblem } from '../generated/prisma/client.ts';

/** Trouble of the channel as a whole. The same key is one problem, however often it is met. */
export type NewChannelProblem = {
  key: string;
  /** For programs, e.g. ACCESS_TOKEN_REFUSED. */
  code: string;
  /** A sentence that an administrator can act on. */
  message: string;
  /** Null: all numbers. */
  businessNumberId: string | null;
  providerCode: number | null;
  /** Nothing is sent until it is cleared; what is queued waits. */
  stopsSending: boolean;
  /** When it began, UTC; now where it is missing. */
  since?: Date;
  /** When it is over by itself; null or missing: when it is cleared. */
  expiresAt?: Date | null;
};

/** What an error of Meta's says about the channel, and whether only one number is meant. */
export type ChannelTrouble = { meaning: string; isOfNumber: boolean };

/** Meta refuses to send: an open problem says why nothing goes out. `providerCode` null: it is not one of Meta's. */
export function sendingStopped(
  { meaning, isOfNumber }: ChannelTrouble,
  providerCode: number | null,
  businessNumberId: string,
): NewChannelProblem {
  return {
    key: `send:${providerCode ?? 'address'}:${isOfNumber ? businessNumberId : 'account'}`,
    code: 'SENDING_STOPPED',
    message: meaning,
    businessNumberId: isOfNumber ? businessNumberId : null,
    providerCode,
    stopsSending: true,
  };
}

/** True where it is new; an open problem keeps its beginning and takes the newest words. */
export async function openChannelProblem(tx: Transaction, problem: NewChannelProblem): Promise<boolean> {
  const {
    key,
    code,
    message,
    businessNumberId,
    providerCode,
    stopsSending,
    since = tx.now,
    expiresAt = null,
  } = problem;
  const [opened] = await tx.query<{ isNew: boolean }>(
    `INSERT INTO channel_problem (id, key, code, message, since, business_number_id, provider_code, stops_sending, expires_at)
     VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (key) WHERE cleared_at IS NULL DO UPDATE SET message = excluded.message, expires_at = excluded.expires_at,
       since = CASE WHEN channel_problem.expires_at <= excluded.since THEN excluded.since ELSE channel_problem.since END
     RETURNING xmax = 0 AS "isNew"`,
    [key, code, message, since, businessNumberId, providerCode, stopsSending, expiresAt],
  );
  return opened?.isNew ?? false;
}

/** For what is told late: trouble from before the last settlement is over already. */
export async function openUnlessSettled(tx: Transaction, problem: NewChannelProblem & { since: Date }): Promise<void> {
  const settled = await tx.query('SELECT 1 FROM channel_problem WHERE key = $1 AND cleared_at > $2 LIMIT 1', [
    problem.key,
    problem.since,
  ]);
  if (settled.length === 0) await openChannelProblem(tx, problem);
}

/**
 * For what was seen to work again `at`, which leaves what began later. Gives back how many were open; sending goes on
 * within seconds.
 */
export async function clearChannelProblems(tx: Transaction, keyPrefix: string, at: Date = tx.now): Promise<number> {
  const cleared = await tx.query(
    `UPDATE channel_problem SET cleared_at = $2
     WHERE cleared_at IS NULL AND since <= $2 AND starts_with(key, $1) RETURNING id`,
    [keyPrefix, at],
  );
  return cleared.length;
}

export type OpenProblem = Pick<
  ChannelProblem,
  'id' | 'code' | 'message' | 'since' | 'businessNumberId' | 'providerCode'
>;

const MAX_SHOWN = 100;

/** Newest first. */
export function findOpenProblems({ prisma }: Database, now: Date): Promise<OpenProblem[]> {
  return prisma.channelProblem.findMany({
    where: { clearedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] },
    orderBy: [{ since: 'desc' }, { id: 'desc' }],
    take: MAX_SHOWN,
  });
}
