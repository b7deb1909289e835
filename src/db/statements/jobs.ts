import type { Statement, Transaction } from '../transaction.ts';

/** Those of one number wait for its turns: each of the two numbers has workers of its own, and a flood to one leaves the other alone. */
export const SEND_TASKS = ['send', 'send-second'] as const;
/** Of a business_number `b`. */
export const sendTask = `CASE b.slot WHEN 2 THEN 'send-second' ELSE 'send' END`;

// One waiting job per conversation: it sends everything that is queued, oldest first. A job that is running already
// keeps its key's old row, so a message queued meanwhile gets a job of its own.
const addSend: Statement = {
  name: 'add-send-job',
  text: `SELECT graphile_worker.add_job(${sendTask},
      json_build_object('conversationId', c.id, 'businessNumberId', c.business_number_id),
      job_key => 'send:' || c.id, run_at => $2, max_attempts => 25)
    FROM conversation c JOIN business_number b ON b.id = c.business_number_id WHERE c.id = $1`,
};

/** Queues the sending of a conversation's messages with the transaction; `at` (UTC) puts it off. */
export function addSendJob(tx: Transaction, conversationId: string, at: Date = tx.now): void {
  tx.send(addSend, [conversationId, at]);
}

/** Brings the file of a waiting message to Meta, apart from the queue of what is sent. */
export async function addUploadJob(
  tx: Transaction,
  upload: { attachmentId: string; messageId: string },
  at: Date = tx.now,
): Promise<void> {
  await tx.query(
    `SELECT graphile_worker.add_job('upload-media', json_build_object('attachmentId', $1::text, 'messageId', $2::text),
       job_key => 'upload:' || $1::text, run_at => $3, max_attempts => 25)`,
    [upload.attachmentId, upload.messageId, at],
  );
}

/** One listing however many webhooks ask for it; a later asking puts it off. */
export async function addTemplateSyncJob(tx: Transaction, at: Date = tx.now): Promise<void> {
  await tx.query(
    `SELECT graphile_worker.add_job('sync-templates', '{}'::json, job_key => 'sync-templates', run_at => $1, max_attempts => 5)`,
    [at],
  );
}

/** One job per message: it sends the reaction as it is when it runs. */
export async function addReactionJob(
  tx: Transaction,
  messageId: string,
  at: Date = tx.now,
  attempts = 0,
): Promise<void> {
  await tx.query(
    `SELECT graphile_worker.add_job('send-reaction', json_build_object('messageId', $1::text, 'attempts', $3::integer),
       job_key => 'reaction:' || $1::text, run_at => $2, max_attempts => 25)`,
    [messageId, at, attempts],
  );
}

type Marked = { conversationId: string; providerId: string; phoneNumberId: string };

/** A later receipt of the same conversation covers an earlier one. */
export async function addReceiptJob(tx: Transaction, marked: Marked): Promise<void> {
  await addMarkJob(tx, `receipt:${marked.conversationId}`, { ...marked, typing: false, until: null }, 8);
}

const TYPING_LIFE_MS = 10_000;

export async function addTypingJob(tx: Transaction, marked: Marked): Promise<void> {
  const until = new Date(tx.now.getTime() + TYPING_LIFE_MS);
  await addMarkJob(tx, `typing:${marked.conversationId}`, { ...marked, typing: true, until }, 1);
}

async function addMarkJob(
  tx: Transaction,
  key: string,
  { providerId, phoneNumberId, typing, until }: Marked & { typing: boolean; until: Date | null },
  maxAttempts: number,
): Promise<void> {
  const payload = JSON.stringify({ providerId, phoneNumberId, typing, until });
  await tx.query(
    `SELECT graphile_worker.add_job('mark-read', $1::json, job_key => $2, run_at => $3, max_attempts => $4)`,
    [payload, key, tx.now, maxAttempts],
  );
}
