import type pg from 'pg';
import type { WebhookDeliveryState } from '../../generated/prisma/enums.ts';
import type { PageRequest } from '../keyset.ts';
import type { Statement, Transaction } from '../transaction.ts';

/** A delivery as administrators see it: its body, which holds what customers wrote, stays here. */
export type DeliverySummary = {
  id: string;
  receivedAt: Date;
  state: WebhookDeliveryState;
  attempts: number;
  itemCount: number;
  error: string | null;
};

const columns = `d.id, d.received_at AS "receivedAt", d.state, d.attempts, d.item_count AS "itemCount", d.error`;

/** Which deliveries; what is null does not matter. `receivedTo` is no longer part of it. UTC. */
export type DeliveryChoice = {
  ids: string[] | null;
  receivedFrom: Date | null;
  receivedTo: Date | null;
  states: WebhookDeliveryState[] | null;
};

const chosen = `($1::uuid[] IS NULL OR d.id = ANY($1)) AND ($2::timestamptz IS NULL OR d.received_at >= $2)
  AND ($3::timestamptz IS NULL OR d.received_at < $3) AND ($4::text[] IS NULL OR d.state::text = ANY($4))
  AND d.state <> 'REJECTED'`;

const claim: Statement = {
  name: 'claim-waiting-deliveries',
  text: `UPDATE webhook_delivery d SET attempts = d.attempts + 1, processed_at = $2
    FROM (SELECT id FROM webhook_delivery WHERE state = 'RECEIVED' AND (processed_at IS NULL OR processed_at < $1)
      ORDER BY received_at, id LIMIT 100 FOR UPDATE SKIP LOCKED) AS taken
    WHERE d.id = taken.id RETURNING d.id, d.received_at AS "receivedAt", d.body, d.attempts`,
};

/** Deliveries that are kept and not applied; nobody else takes them before `claimedBefore` has caught up with now. */
export async function claimWaitingDeliveries(
  tx: Transaction,
  claimedBefore: Date,
): Promise<{ id: string; receivedAt: Date; body: Buffer; attempts: number }[]> {
  const rows = await tx.query<{ id: string; receivedAt: Date; body: Buffer; attempts: number }>(claim, [
    claimedBefore,
    tx.now,
  ]);
  return rows.toSorted((a, b) => a.receivedAt.getTime() - b.receivedAt.getTime() || (a.id < b.id ? -1 : 1));
}

export async function countDeliveries(tx: Transaction, choice: DeliveryChoice): Promise<number> {
  const text = `SELECT count(*)::integer AS n FROM webhook_delivery d WHERE ${chosen}`;
  const [row] = await tx.query<{ n: number }>(text, parameters(choice));
  return row?.n ?? 0;
}

/** Puts the oldest of them back in line; gives back how many. */
export async function requeueDeliveries(tx: Transaction, choice: DeliveryChoice, limit: number): Promise<number> {
  const text = `UPDATE webhook_delivery w SET state = 'RECEIVED', processed_at = NULL
    FROM (SELECT d.id FROM webhook_delivery d WHERE ${chosen} ORDER BY d.received_at, d.id LIMIT $5 FOR UPDATE) AS oldest
    WHERE w.id = oldest.id RETURNING w.id`;
  return (await tx.query(text, [...parameters(choice), limit])).length;
}

/** Newest first, by a row comparison that uses the index at any depth. */
export async function findDeliveryPage(
  pool: pg.Pool,
  page: PageRequest,
  states: WebhookDeliveryState[] | null,
): Promise<DeliverySummary[]> {
  const [direction, compare] = page.forward ? ['DESC', '<'] : ['ASC', '>'];
  const after = page.position ? `AND (d.received_at, d.id) ${compare} ($2::timestamptz, $3::uuid)` : '';
  const text = `SELECT ${columns} FROM webhook_delivery d WHERE ($1::text[] IS NULL OR d.state::text = ANY($1)) ${after}
    ORDER BY d.received_at ${direction}, d.id ${direction} LIMIT ${page.size + 1}`;
  return (await pool.query<DeliverySummary>(text, [states, ...(page.position ?? [])])).rows;
}

export async function findDelivery(pool: pg.Pool, id: string): Promise<DeliverySummary | null> {
  const { rows } = await pool.query<DeliverySummary>(`SELECT ${columns} FROM webhook_delivery d WHERE d.id = $1`, [id]);
  return rows[0] ?? null;
}

function parameters({ ids, receivedFrom, receivedTo, states }: DeliveryChoice): unknown[] {
  return [ids, receivedFrom, receivedTo, states];
}
