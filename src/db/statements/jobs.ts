import type { Statement, Transaction } from '../transaction.ts';

// One waiting job per conversation: it sends everything that is queued, oldest first. A job that is running already
// keeps its key's old row, so a message queued meanwhile gets a job of its own.
const addSend: Statement = {
  name: 'add-send-job',
  text: `SELECT graphile_worker.add_job('send', json_build_object('conversationId', $1::uuid), job_key => 'send:' || $1::text,
    run_at => $2, max_attempts => 25)`,
};

/** Queues the sending of a conversation's messages with the transaction; `at` (UTC) puts it off. */
export async function addSendJob(tx: Transaction, conversationId: string, at: Date = tx.now): Promise<void> {
  await tx.query(addSend, [conversationId, at]);
}

/** One listing however many webhooks ask for it; a later asking puts it off. */
export async function addTemplateSyncJob(tx: Transaction, at: Date = tx.now): Promise<void> {
  await tx.query(
    `SELECT graphile_worker.add_job('sync-templates', '{}'::json, job_key => 'sync-templates', run_at => $1, max_attempts => 5)`,
    [at],
  );
}
