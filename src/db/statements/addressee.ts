import type { Statement, Transaction } from '../transaction.ts';

/** Whom a conversation writes to, and from where. */
export type Addressee = {
  isNumberActive: boolean;
  waId: string | null;
  userId: string | null;
  marketingStoppedAt: Date | null;
};

const find: Statement = {
  name: 'find-addressee',
  text: `SELECT b.active AS "isNumberActive", p.wa_id AS "waId", p.user_id AS "userId",
      p.marketing_stopped_at AS "marketingStoppedAt"
    FROM conversation c JOIN business_number b ON b.id = c.business_number_id JOIN participant p ON p.id = c.participant_id
    WHERE c.id = $1`,
};

export async function findAddressee(tx: Transaction, conversationId: string): Promise<Addressee | null> {
  return (await tx.query<Addressee>(find, [conversationId]))[0] ?? null;
}
