import type { Transaction } from '../transaction.ts';

/** A customer message that Meta can be told about. */
export type ReceiptTarget = { providerId: string; phoneNumberId: string; sequence: number; receiptSequence: number };

/** The newest message of the customer up to `sequence` (null: of all), if Meta still knows it: for 30 days. */
export async function findReceiptTarget(
  tx: Transaction,
  conversationId: string,
  sequence: number | null,
): Promise<ReceiptTarget | null> {
  const [target] = await tx.query<ReceiptTarget>(
    `SELECT m.provider_id AS "providerId", b.phone_number_id AS "phoneNumberId", m.sequence,
       c.receipt_sequence AS "receiptSequence"
     FROM message m JOIN conversation c ON c.id = m.conversation_id JOIN business_number b ON b.id = c.business_number_id
     WHERE m.conversation_id = $1 AND ($2::integer IS NULL OR m.sequence <= $2) AND m.direction = 'INCOMING'
       AND m.provider_id IS NOT NULL AND m.kind <> 'SYSTEM' AND NOT m.imported
     ORDER BY m.sequence DESC LIMIT 1`,
    [conversationId, sequence],
  );
  return target ?? null;
}

/** False where Meta was told already. */
export async function moveReceipt(tx: Transaction, conversationId: string, sequence: number): Promise<boolean> {
  const rows = await tx.query(
    'UPDATE conversation SET receipt_sequence = $2 WHERE id = $1 AND receipt_sequence < $2 RETURNING id',
    [conversationId, sequence],
  );
  return rows.length > 0;
}
