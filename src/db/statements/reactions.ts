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
