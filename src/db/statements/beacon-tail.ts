import type { Statement, Transaction } from '../transaction.ts';

/** One message as far as the beacon is concerned; which of them are live is decided by the rule, not here. */
export type TailRow = {
  id: string;
  conversationId: string;
  sequence: number;
  sentAt: Date;
  direction: 'INCOMING' | 'OUTGOING';
  origin: string;
  kind: string;
  status: string | null;
  imported: boolean;
  withdrawnAt: Date | null;
  discardedAt: Date | null;
  waivedAt: Date | null;
};

// Back to the newest reply that can never fail any more: what is older cannot matter for the order of arrival.
const tail: Statement = {
  name: 'beacon-tail',
  text: `SELECT m.id, m.conversation_id AS "conversationId", m.sequence, m.sent_at AS "sentAt", m.direction, m.origin, m.kind,
      m.status, m.imported, m.withdrawn_at AS "withdrawnAt", m.discarded_at AS "discardedAt", m.waived_at AS "waivedAt"
    FROM unnest($1::uuid[]) AS wanted (id)
    CROSS JOIN LATERAL (
      SELECT coalesce(max(s.sequence), 0) AS sequence FROM message s
      WHERE NOT $2 AND s.conversation_id = wanted.id AND s.direction = 'OUTGOING' AND NOT s.imported
        AND s.origin IN ('OPERATOR', 'PHONE_APP_ECHO') AND s.status IN ('DELIVERED', 'READ')
        AND s.withdrawn_at IS NULL) AS settled
    JOIN message m ON m.conversation_id = wanted.id AND m.sequence >= settled.sequence
    ORDER BY m.conversation_id, m.sequence`,
};

/** With `whole`, every message: where order or kind decide otherwise, a settled reply bounds nothing. */
export function loadBeaconTails(tx: Transaction, conversationIds: string[], whole: boolean): Promise<TailRow[]> {
  return tx.query<TailRow>(tail, [conversationIds, whole]);
}

export type IncomingRow = Pick<TailRow, 'id' | 'sequence' | 'origin' | 'kind' | 'imported' | 'withdrawnAt'>;

/** What came in, the last first: by arrival, or by Meta's time and then by arrival. */
export function findIncoming(
  tx: Transaction,
  {
    conversationId,
    byTime,
    skipped,
    limit,
  }: { conversationId: string; byTime: boolean; skipped: number; limit: number },
): Promise<IncomingRow[]> {
  return tx.query<IncomingRow>(
    `SELECT id, sequence, origin, kind, imported, withdrawn_at AS "withdrawnAt" FROM message
     WHERE conversation_id = $1 AND direction = 'INCOMING'
     ORDER BY ${byTime ? 'sent_second DESC, ' : ''}sequence DESC OFFSET $2 LIMIT $3`,
    [conversationId, skipped, limit],
  );
}
