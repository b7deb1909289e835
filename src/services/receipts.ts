import type { Database } from '../db/database.ts';
import type { ConversationRow } from '../db/rows.ts';
import { addReceiptJob, addTypingJob } from '../db/statements/jobs.ts';
import { findReceiptTarget, moveReceipt } from '../db/statements/receipts.ts';
import { transaction, type Transaction } from '../db/transaction.ts';

/** Blue ticks for the customer, up to this place of the conversation; told once. */
export async function queueReceipt(tx: Transaction, conversation: ConversationRow, sequence: number): Promise<void> {
  const target = await findReceiptTarget(tx, conversation.id, sequence);
  if (!target || !(await moveReceipt(tx, conversation.id, target.sequence))) return;
  await addReceiptJob(tx, { conversationId: conversation.id, ...target });
}

/**
 * "Typing …" for the customer, for up to 25 seconds. Meta shows it only together with blue ticks, so it is left out
 * while the newest message of the customer was not reported as read.
 */
export async function showTyping(db: Database, conversationId: string): Promise<void> {
  await transaction(db, async (tx) => {
    const target = await findReceiptTarget(tx, conversationId, null);
    if (!target || target.sequence > target.receiptSequence) return;
    await addTypingJob(tx, { conversationId, ...target });
  });
}
