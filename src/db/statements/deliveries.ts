import type { WebhookDeliveryState } from '../../generated/prisma/enums.ts';
import { arraysOf, unnested, type Columns } from '../columns.ts';
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

const columns = {
  id: ['id', 'uuid'],
  receivedAt: ['received_at', 'timestamptz'],
  from: ['from', 'integer'],
  bytes: ['bytes', 'integer'],
  state: ['state', '"WebhookDeliveryState"'],
  attempts: ['attempts', 'integer'],
  itemCount: ['item_count', 'integer'],
  error: ['error', 'text'],
  failures: ['failures', 'jsonb'],
} as const satisfies Columns;

// The bytes of all bodies travel in one piece; an array would need them in hex. A replayed delivery is already there and
// only changes its state.
const save: Statement = {
  name: 'save-deliveries',
  text: `INSERT INTO webhook_delivery (id, received_at, body, state, attempts, item_count, error, failures, processed_at)
    SELECT n.id, n."receivedAt", substring($10::bytea FROM n."from" FOR n.bytes), n.state, n.attempts, n."itemCount",
      n.error, n.failures, CASE WHEN n.state = 'RECEIVED' THEN NULL ELSE $11::timestamptz END
    FROM ${unnested(columns, 'n')}
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, item_count = excluded.item_count,
      error = excluded.error, failures = excluded.failures, processed_at = excluded.processed_at`,
};

export function saveDeliveries(tx: Transaction, deliveries: NewDelivery[]): void {
  let from = 1;
  const rows = deliveries.map((delivery) => {
    const row = { ...delivery, from, bytes: delivery.body.length };
    from += row.bytes;
    return row;
  });
  tx.send(save, [...arraysOf(columns, rows), Buffer.concat(deliveries.map(({ body }) => body)), tx.now]);
}
