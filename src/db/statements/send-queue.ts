import type { MessageKind, SendState } from '../../generated/prisma/enums.ts';
import type { Content } from '../content.ts';
import type { Statement, Transaction } from '../transaction.ts';
import { sendTask } from './jobs.ts';
import type { TemplateToSend } from './templates.ts';

/** A message that is not settled yet, with what it takes to send it. */
export type Unsent = {
  id: string;
  conversationId: string;
  kind: MessageKind;
  content: Content;
  sendState: SendState;
  attempts: number;
  /** How often an operator sent it anew. */
  retries: number;
  notBefore: Date | null;
  leaseUntil: Date | null;
  windowExpiresAt: Date | null;
  businessNumberId: string;
  phoneNumberId: string;
  waId: string | null;
  userId: string | null;
  quotedProviderId: string | null;
  payload: unknown;
  traceParent: string | null;
};

const find: Statement = {
  name: 'oldest-unsent',
  text: `SELECT m.id, m.conversation_id AS "conversationId", m.kind, m.content, m.send_state AS "sendState",
      m.send_attempts AS attempts, m.retries, m.send_not_before AS "notBefore", m.send_lease_until AS "leaseUntil",
      c.window_expires_at AS "windowExpiresAt", b.id AS "businessNumberId", b.phone_number_id AS "phoneNumberId",
      p.wa_id AS "waId", p.user_id AS "userId", m.quoted_provider_id AS "quotedProviderId", m.payload,
      m.trace_parent AS "traceParent"
    FROM message m JOIN conversation c ON c.id = m.conversation_id
      JOIN business_number b ON b.id = c.business_number_id JOIN participant p ON p.id = c.participant_id
    WHERE m.conversation_id = $1 AND m.send_state IN ('QUEUED', 'SENDING', 'UNKNOWN')
    ORDER BY m.sequence LIMIT 50`,
};

const claim: Statement = {
  name: 'claim-message',
  text: `UPDATE message SET send_state = 'SENDING', send_lease_until = $2, send_attempts = send_attempts + 1 WHERE id = $1`,
};

const putBack: Statement = {
  name: 'put-message-back',
  text: `UPDATE message SET send_state = 'QUEUED', send_not_before = $2, send_lease_until = NULL,
      failure_code = $3, failure_title = $4, failure_detail = $5
    WHERE id = $1 AND send_state = 'SENDING'`,
};

/** Oldest first; the conversation must be locked. */
export function findOldestUnsent(tx: Transaction, conversationId: string): Promise<Unsent[]> {
  return tx.query<Unsent>(find, [conversationId]);
}

const waiting: Statement = {
  name: 'has-queued-message',
  text: `SELECT EXISTS (SELECT FROM message m WHERE m.conversation_id = $1 AND m.send_state = 'QUEUED') AS waits`,
};

/** Whether anything of the conversation waits to be sent. */
export async function hasQueued(tx: Transaction, conversationId: string): Promise<boolean> {
  const [row] = await tx.query<{ waits: boolean }>(waiting, [conversationId]);
  return row?.waits ?? false;
}

export function claimMessage(tx: Transaction, id: string, leaseUntil: Date): void {
  tx.send(claim, [id, leaseUntil]);
}

/** It was not sent and is tried again; `notBefore` null: as soon as it may. */
export async function putMessageBack(
  tx: Transaction,
  id: string,
  notBefore: Date | null,
  problem: { code: number | null; title: string; detail: string | null },
): Promise<void> {
  await tx.query(putBack, [id, notBefore, problem.code, problem.title, problem.detail]);
}

/** Its call is over, whatever became of it. */
export function endLease(tx: Transaction, id: string): void {
  tx.send('UPDATE message SET send_lease_until = $2 WHERE id = $1', [id, tx.now]);
}

/** A fresh start for a message that an operator sends anew. */
export async function requeueMessage(tx: Transaction, id: string): Promise<void> {
  await tx.query(
    `UPDATE message SET send_attempts = 0, send_not_before = NULL, send_lease_until = NULL WHERE id = $1`,
    [id],
  );
}

/** Nothing more goes to this customer before then. */
export async function pauseConversation(tx: Transaction, conversationId: string, until: Date): Promise<void> {
  await tx.query('UPDATE conversation SET send_paused_until = $2 WHERE id = $1', [conversationId, until]);
}

/** Holds a message while its file is on its way to Meta. */
export async function leaseMessage(tx: Transaction, id: string, until: Date): Promise<void> {
  await tx.query(`UPDATE message SET send_lease_until = $2 WHERE id = $1 AND send_state = 'QUEUED'`, [id, until]);
}

export async function templateOfMessage(tx: Transaction, messageId: string): Promise<TemplateToSend | null> {
  const [template] = await tx.query<TemplateToSend>(
    `SELECT t.id, t.name, t.language, t.category, t.status, t.components
     FROM message m JOIN template t ON t.id = m.template_id WHERE m.id = $1`,
    [messageId],
  );
  return template ?? null;
}

// A job of a process that was killed stays locked for hours. Its conversation gets another one when a lease has run out,
// or when something is due and no job has been at it for a while; leases keep two jobs from sending one message twice.
const abandoned: Statement = {
  name: 'requeue-abandoned-sends',
  text: `WITH due AS (
      SELECT DISTINCT m.conversation_id AS id FROM message m
      WHERE (m.send_state = 'SENDING' AND m.send_lease_until < $1)
        OR (m.send_state = 'QUEUED' AND coalesce(m.send_not_before, $1) <= $1 AND coalesce(m.send_lease_until, $1) <= $1)
      LIMIT 5000)
    SELECT graphile_worker.add_job(${sendTask}, json_build_object('conversationId', c.id, 'businessNumberId', c.business_number_id),
        job_key => 'send:' || c.id, max_attempts => 25)
    FROM due JOIN conversation c ON c.id = due.id JOIN business_number b ON b.id = c.business_number_id
    WHERE coalesce(c.send_paused_until, $1) <= $1
      AND NOT EXISTS (SELECT FROM channel_problem p WHERE p.stops_sending AND p.cleared_at IS NULL
          AND coalesce(p.expires_at, 'infinity') > $1
        AND (p.business_number_id IS NULL OR p.business_number_id = c.business_number_id))
      AND NOT EXISTS (SELECT FROM graphile_worker.jobs j WHERE j.key = 'send:' || c.id AND j.attempts < j.max_attempts
        AND (j.locked_at IS NULL OR j.locked_at > $2))`,
};

/** Gives a job to every conversation in which something is due and nobody is at it; gives back how many. */
export async function requeueAbandonedSends(tx: Transaction, patienceMs: number): Promise<number> {
  const rows = await tx.query(abandoned, [tx.now, new Date(tx.now.getTime() - patienceMs)]);
  return rows.length;
}

/**
 * For after a restore: what waited when the back-up was made may have been sent since. It gets the lease of a process
 * that died, so that nobody sends it again. Gives back how many there are.
 */
export async function doubtWaitingSends(tx: Transaction): Promise<number> {
  const rows = await tx.query(
    `UPDATE message SET send_state = 'SENDING', send_lease_until = $1 WHERE send_state = 'QUEUED' RETURNING id`,
    [tx.now],
  );
  return rows.length;
}

const expired: Statement = {
  name: 'conversations-with-expired-replies',
  text: `SELECT DISTINCT m.conversation_id AS id FROM message m JOIN conversation c ON c.id = m.conversation_id
    WHERE m.send_state = 'QUEUED' AND m.kind <> 'TEMPLATE' AND coalesce(c.window_expires_at, $1) <= $1 LIMIT 100`,
};

/** Conversations whose window closed while a reply still waited. */
export async function findExpiredReplies(tx: Pick<Transaction, 'query' | 'now'>): Promise<string[]> {
  return (await tx.query<{ id: string }>(expired, [tx.now])).map((row) => row.id);
}
