import type { WebhookDeliveryState } from '../../generated/prisma/enums.ts';
import type { Statement, Transaction } from '../transaction.ts';

export type NewDelivery = {
  id: string;
  receivedAt: Date;
  body: Buffer;
  state: WebhookDeliveryState;
  attempts: number;
  itemCount: number;
  error: string | null;
  failures: { index: number; error: string }[] | null;
};

// The bytes of all bodies travel in one piece beside the JSON, which would need them in base64, an array in hex. A
// replayed delivery is already there and only changes its state.
const save: Statement = {
  name: 'save-deliveries',
  text: `INSERT INTO webhook_delivery (id, received_at, body, state, attempts, item_count, error, failures, processed_at)
    SELECT n.id, n."receivedAt", substring($2::bytea FROM n."from" FOR n.bytes), n.state, n.attempts, n."itemCount",
      n.error, n.failures, CASE WHEN n.state = 'RECEIVED' THEN NULL ELSE $3::timestamptz END
    FROM json_to_recordset($1::json) AS n (id uuid, "receivedAt" timestamptz, "from" integer, bytes integer,
      state "WebhookDeliveryState", attempts integer, "itemCount" integer, error text, failures jsonb)
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, item_count = excluded.item_count,
      error = excluded.error, failures = excluded.failures, processed_at = excluded.processed_at`,
};

export function saveDeliveries(tx: Transaction, deliveries: NewDelivery[]): void {
  let from = 1;
  const rows = deliveries.map(({ body, ...row }) => {
    const place = { from, bytes: body.length };
    from += body.length;
    return { ...row, ...place };
  });
  tx.send(save, [JSON.stringify(rows), Buffer.concat(deliveries.map(({ body }) => body)), tx.now]);
}
