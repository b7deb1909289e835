import type { Statement, Transaction } from '../transaction.ts';

const count: Statement = {
  name: 'count-unread',
  text: `SELECT count(*)::integer AS unread FROM message
    WHERE conversation_id = $1 AND sequence > $2 AND direction = 'INCOMING' AND origin = 'CUSTOMER' AND kind <> 'SYSTEM' AND NOT imported`,
};

/** Customer messages of a conversation after the read horizon. */
export async function countUnread(tx: Transaction, conversationId: string, readUpToSequence: number): Promise<number> {
  const [row] = await tx.query<{ unread: number }>(count, [conversationId, readUpToSequence]);
  return row?.unread ?? 0;
}
