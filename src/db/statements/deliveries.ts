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

// The bytes travel as an array beside the JSON, because JSON would need them in base64. A replayed delivery is
// already there and only changes its state.
const save: Statement = {
  name: 'save-deliveries',
  text: `INSERT INTO webhook_delivery (id, received_at, body, state, attempts, item_count, error, failures, processed_at)
    SELECT n.id, n.received_at, b.body, n.state, n.attempts, n.item_count, n.error, n.failures,
      CASE WHEN n.state = 'RECEIVED' THEN NULL ELSE $3::timestamptz END
    FROM ROWS FROM (json_to_recordset($1::json) AS ("id" uuid, "receivedAt" timestamptz, "state" "WebhookDeliveryState",
        "attempts" integer, "itemCount" integer, "error" text, "failures" jsonb)) WITH ORDINALITY
      AS n (id, received_at, state, attempts, item_count, error, failures, position)
    JOIN unnest($2::bytea[]) WITH ORDINALITY AS b (body, position) USING (position)
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, item_count = excluded.item_count,
      error = excluded.error, failures = excluded.failures, processed_at = excluded.processed_at`,
};

export function saveDeliveries(tx: Transaction, deliveries: NewDelivery[]): void {
  const rows = deliveries.map(({ body: _, ...row }) => row);
  tx.send(save, [JSON.stringify(rows), deliveries.map((delivery) => delivery.body), tx.now]);
}
