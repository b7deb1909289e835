import type { MessageKind, SendState } from '../../generated/prisma/enums.ts';
import type { Content } from '../content.ts';
import type { Statement, Transaction } from '../transaction.ts';

/** A message that is not settled yet, with what it takes to send it. */
export type Unsent = {
  id: string;
  conversationId: string;
  kind: MessageKind;
  content: Content;
  sendState: SendState;
  attempts: number;
  notBefore: Date | null;
  leaseUntil: Date | null;
  windowExpiresAt: Date | null;
  phoneNumberId: string;
  waId: string | null;
  userId: string | null;
  quotedProviderId: string | null;
  payload: unknown;
};

const find: Statement = {
  name: 'oldest-unsent',
  text: `SELECT m.id, m.conversation_id AS "conversationId", m.kind, m.content, m.send_state AS "sendState",
      m.send_attempts AS attempts, m.send_not_before AS "notBefore", m.send_lease_until AS "leaseUntil",
      c.window_expires_at AS "windowExpiresAt", b.phone_number_id AS "phoneNumberId", p.wa_id AS "waId", p.user_id AS "userId",
      m.quoted_provider_id AS "quotedProviderId", m.payload
    FROM message m JOIN conversation c ON c.id = m.conversation_id
      JOIN business_number b ON b.id = c.business_number_id JOIN participant p ON p.id = c.participant_id
    WHERE m.conversation_id = $1 AND m.send_state IN ('QUEUED', 'SENDING', 'UNKNOWN')
    ORDER BY m.sequence LIMIT 50`,
};

const claim: Statement = {
  name: 'claim-message',
  text: `UPDATE message SET send_state = 'SENDING', send_lease_until = $2, send_attempts = send_attempts + 1 WHERE id = $1`,
};

/** Oldest first; the conversation must be locked. */
export function findOldestUnsent(tx: Transaction, conversationId: string): Promise<Unsent[]> {
  return tx.query<Unsent>(find, [conversationId]);
}

export async function claimMessage(tx: Transaction, id: string, leaseUntil: Date): Promise<void> {
  await tx.query(claim, [id, leaseUntil]);
}

/** Conversations in which something waits to be sent. */
export async function findConversationsToSend(tx: Pick<Transaction, 'query'>): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `SELECT DISTINCT conversation_id AS id FROM message WHERE send_state IN ('QUEUED', 'SENDING', 'UNKNOWN') LIMIT 10000`,
  );
  return rows.map((row) => row.id);
}
