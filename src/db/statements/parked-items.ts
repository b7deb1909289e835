import type { Statement, Transaction } from '../transaction.ts';

export type ParkedItem = { key: string; targetProviderId: string | null; opaqueId: string | null; item: unknown };

const park: Statement = {
  name: 'park-items',
  text: `INSERT INTO parked_item (id, key, target_provider_id, opaque_id, item, received_at)
    SELECT gen_random_uuid(), n.key, n."targetProviderId", n."opaqueId", n.item, $2
    FROM json_to_recordset($1::json) AS n (key text, "targetProviderId" text, "opaqueId" text, item jsonb)
    ON CONFLICT (key) DO NOTHING`,
};

const taken = `RETURNING item, received_at AS "receivedAt"`;

const takeByTarget: Statement = {
  name: 'take-parked-items-by-target',
  text: `DELETE FROM parked_item WHERE target_provider_id = ANY($1::text[]) ${taken}`,
};

const take: Statement = {
  name: 'take-parked-items',
  text: `DELETE FROM parked_item WHERE target_provider_id = ANY($1::text[]) OR opaque_id = ANY($2::text[]) ${taken}`,
};

const takeOne: Statement = {
  name: 'take-parked-item',
  text: `DELETE FROM parked_item WHERE id = $1 RETURNING item, received_at AS "receivedAt"`,
};

export function parkItems(tx: Transaction, items: ParkedItem[]): void {
  if (items.length > 0) tx.send(park, [JSON.stringify(items), tx.now]);
}

const awaited: Statement = {
  name: 'awaited-messages',
  text: 'SELECT DISTINCT target_provider_id AS "providerId" FROM parked_item WHERE target_provider_id = ANY($1::text[])',
};

/** Which of these messages something waits for. */
export async function findAwaited(tx: Transaction, providerIds: string[]): Promise<Set<string>> {
  if (providerIds.length === 0) return new Set();
  const rows = await tx.query<{ providerId: string }>(awaited, [providerIds]);
  return new Set(rows.map((row) => row.providerId));
}

/** What waited for these messages; it is applied by the same transaction that takes it. */
export function takeParkedItems<T>(
  tx: Transaction,
  providerIds: string[],
  opaqueIds: string[],
): Promise<{ item: T; receivedAt: Date }[]> {
  if (providerIds.length + opaqueIds.length === 0) return Promise.resolve([]);
  if (opaqueIds.length === 0) return tx.query<{ item: T; receivedAt: Date }>(takeByTarget, [providerIds]);
  return tx.query<{ item: T; receivedAt: Date }>(take, [providerIds, opaqueIds]);
}

/** Items whose message is here after all. */
export async function findArrivedItems(tx: Transaction): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `SELECT p.id FROM parked_item p JOIN message m ON m.provider_id = p.target_provider_id ORDER BY p.received_at LIMIT 200`,
  );
  return rows.map((row) => row.id);
}

/** Null where somebody else has taken it. */
export async function takeParkedItem<T>(tx: Transaction, id: string): Promise<{ item: T; receivedAt: Date } | null> {
  const [taken] = await tx.query<{ item: T; receivedAt: Date }>(takeOne, [id]);
  return taken ?? null;
}

export async function dropParkedItems(tx: Transaction, before: Date): Promise<number> {
  return (await tx.query('DELETE FROM parked_item WHERE received_at < $1 RETURNING id', [before])).length;
}
