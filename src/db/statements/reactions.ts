import { insertion, recordset, type Columns } from '../columns.ts';
import type { Statement, Transaction } from '../transaction.ts';

export type NewReaction = {
  messageId: string;
  byCustomer: boolean;
  emoji: string | null;
  operatorId: string | null;
  at: Date;
  providerId: string | null;
};

const columns = {
  messageId: ['message_id', 'uuid'],
  byCustomer: ['by_customer', 'boolean'],
  emoji: ['emoji', 'text'],
  operatorId: ['operator_id', 'uuid'],
  at: ['at', 'timestamptz'],
  providerId: ['provider_id', 'text'],
} as const satisfies Columns & Record<keyof NewReaction, unknown>;

// The newest one holds, in whatever order they come; of two in the same second the greater provider id.
const upsert: Statement = {
  name: 'save-reactions',
  text: `INSERT INTO reaction ${insertion(columns, 'n')} FROM (
      SELECT DISTINCT ON (r."messageId", r."byCustomer") * FROM ${recordset(columns, '$1', 'r')}
      ORDER BY r."messageId", r."byCustomer", r.at DESC, r."providerId" DESC NULLS LAST) AS n
    ON CONFLICT (message_id, by_customer) DO UPDATE SET emoji = excluded.emoji, operator_id = excluded.operator_id,
      at = excluded.at, provider_id = excluded.provider_id
    WHERE (excluded.at, coalesce(excluded.provider_id, '')) > (reaction.at, coalesce(reaction.provider_id, ''))
    RETURNING message_id AS "messageId"`,
};

/** Gives back the messages whose reactions really changed. */
export async function saveReactions(tx: Transaction, reactions: NewReaction[]): Promise<string[]> {
  if (reactions.length === 0) return [];
  const changed = await tx.query<{ messageId: string }>(upsert, [JSON.stringify(reactions)]);
  return changed.map((row) => row.messageId);
}

export async function findOwnReaction(tx: Transaction, messageId: string): Promise<string | null> {
  const [row] = await tx.query<{ emoji: string | null }>(
    'SELECT emoji FROM reaction WHERE message_id = $1 AND NOT by_customer',
    [messageId],
  );
  return row?.emoji ?? null;
}

/** True where it still was the reaction of that instant. */
export async function withdrawReaction(tx: Transaction, messageId: string, at: Date): Promise<boolean> {
  const rows = await tx.query(
    'UPDATE reaction SET emoji = NULL WHERE message_id = $1 AND NOT by_customer AND at = $2 RETURNING message_id',
    [messageId, at],
  );
  return rows.length > 0;
}

/** Our reaction with what it takes to send it. */
export type ReactionToSend = {
  emoji: string | null;
  at: Date;
  targetProviderId: string;
  businessNumberId: string;
  phoneNumberId: string;
  waId: string | null;
  userId: string | null;
};

export async function findReactionToSend(
  tx: Pick<Transaction, 'query'>,
  messageId: string,
): Promise<ReactionToSend | null> {
  const [row] = await tx.query<ReactionToSend>(
    `SELECT r.emoji, r.at, m.provider_id AS "targetProviderId", b.id AS "businessNumberId",
       b.phone_number_id AS "phoneNumberId", p.wa_id AS "waId", p.user_id AS "userId"
     FROM reaction r JOIN message m ON m.id = r.message_id JOIN conversation c ON c.id = m.conversation_id
       JOIN business_number b ON b.id = c.business_number_id JOIN participant p ON p.id = c.participant_id
     WHERE r.message_id = $1 AND NOT r.by_customer AND m.provider_id IS NOT NULL`,
    [messageId],
  );
  return row ?? null;
}
