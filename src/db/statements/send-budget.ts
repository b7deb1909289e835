import type pg from 'pg';
import type { Statement, Transaction } from '../transaction.ts';

/** Who has to wait: one business number, all of the account, or every call of the app. */
export type BudgetScope = 'account' | 'app' | `number:${string}`;

export type Taken = {
  /** How many messages may leave now. */
  granted: number;
  /** Meta asked to wait until then (UTC); null otherwise. */
  pausedUntil: Date | null;
  /** Open trouble of the channel: nothing leaves until an administrator has settled it. */
  isStopped: boolean;
};

// A bucket in the database, because the limit is that of the number and not of a process. One statement, whatever waits.
// Nobody waits for the disk: a bucket that is a moment old after a crash of PostgreSQL costs nothing.
const take: Statement = {
  name: 'take-send-budget',
  text: `WITH wanted AS (SELECT $1::text AS scope, $2::float8 AS asked, $3::float8 AS rate, $4::float8 AS burst,
        clock_timestamp() AS at, set_config('synchronous_commit', 'off', true)),
    trouble AS (
      SELECT EXISTS (SELECT FROM channel_problem p WHERE p.stops_sending AND p.cleared_at IS NULL
          AND coalesce(p.expires_at, 'infinity') > clock_timestamp()
          AND (p.business_number_id IS NULL OR p.business_number_id = $5::uuid)) AS "isStopped",
        (SELECT max(b.paused_until) FROM send_budget b, wanted w
          WHERE b.scope IN (w.scope, 'account', 'app') AND b.paused_until > w.at) AS "pausedUntil"),
    held AS (
      SELECT least(w.burst, b.tokens + w.rate * greatest(0, extract(epoch FROM w.at - b.refilled_at))) AS tokens
      FROM send_budget b, wanted w WHERE b.scope = w.scope FOR UPDATE OF b),
    granted AS (
      SELECT CASE WHEN t."isStopped" OR t."pausedUntil" IS NOT NULL THEN 0 ELSE least(w.asked, floor(h.tokens)) END AS n
      FROM held h, trouble t, wanted w),
    written AS (
      UPDATE send_budget b SET tokens = h.tokens - g.n, refilled_at = greatest(b.refilled_at, w.at)
      FROM held h, granted g, wanted w WHERE b.scope = w.scope RETURNING 1)
    SELECT (SELECT n FROM granted)::integer AS granted, t."pausedUntil", t."isStopped" FROM trouble t`,
};

const create: Statement = {
  name: 'create-send-budget',
  text: `INSERT INTO send_budget (scope, tokens, refilled_at) VALUES ($1, $2, clock_timestamp()) ON CONFLICT (scope) DO NOTHING`,
};

const giveBack: Statement = {
  name: 'return-send-budget',
  text: `UPDATE send_budget SET tokens = least($2::float8, tokens + 1) WHERE scope = $1`,
};

const pause: Statement = {
  name: 'pause-sending',
  text: `INSERT INTO send_budget AS b (scope, tokens, refilled_at, paused_until, reason) VALUES ($1, 0, clock_timestamp(), $2, $3)
    ON CONFLICT (scope) DO UPDATE SET paused_until = greatest(b.paused_until, excluded.paused_until), reason = excluded.reason`,
};

/** Takes up to `asked` messages from a number's allowance; nobody else gets the same ones. */
export async function takeSendBudget(
  pool: pg.Pool,
  wanted: { businessNumberId: string; asked: number; perSecond: number; burst: number },
): Promise<Taken> {
  const { businessNumberId, asked, perSecond, burst } = wanted;
  const scope = numberScope(businessNumberId);
  const values = [scope, asked, perSecond, burst, businessNumberId];
  const [taken] = (await pool.query<Taken & { granted: number | null }>({ ...take, values })).rows;
  if (taken && taken.granted !== null) return taken;
  await pool.query({ ...create, values: [scope, burst] });
  return { granted: 0, pausedUntil: taken?.pausedUntil ?? null, isStopped: taken?.isStopped ?? false };
}

/** One message of a number's allowance that was not sent after all. */
export async function returnSendBudget(
  pool: pg.Pool,
  { businessNumberId, burst }: { businessNumberId: string; burst: number },
): Promise<void> {
  await pool.query({ ...giveBack, values: [numberScope(businessNumberId), burst] });
}

/** A longer pause that is there already stays. */
export async function pauseSending(tx: Transaction, scope: BudgetScope, until: Date, reason: string): Promise<void> {
  await tx.query(pause, [scope, until, reason]);
}

export function numberScope(businessNumberId: string): BudgetScope {
  return `number:${businessNumberId}`;
}
