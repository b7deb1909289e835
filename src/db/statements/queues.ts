import type pg from 'pg';

export type Queues = {
  QUEUED: number;
  SENDING: number;
  UNKNOWN: number;
  /** 0 where nothing waits. */
  oldestSeconds: number;
  failedDeliveries: number;
  channelProblems: number;
  dueJobs: number;
  failedJobs: number;
  head: number;
};

/** Figures for monitoring, in one statement over partial indexes and small tables. */
export async function readQueues(pool: pg.Pool): Promise<Queues> {
  const { rows } = await pool.query<Queues>(`WITH waiting AS (
      SELECT send_state, sent_at FROM message WHERE send_state IN ('QUEUED', 'SENDING', 'UNKNOWN'))
    SELECT
      (SELECT count(*) FROM waiting WHERE send_state = 'QUEUED')::int AS "QUEUED",
      (SELECT count(*) FROM waiting WHERE send_state = 'SENDING')::int AS "SENDING",
      (SELECT count(*) FROM waiting WHERE send_state = 'UNKNOWN')::int AS "UNKNOWN",
      coalesce((SELECT extract(epoch FROM now() - min(sent_at)) FROM waiting WHERE send_state = 'QUEUED'), 0)::float8
        AS "oldestSeconds",
      (SELECT count(*) FROM webhook_delivery WHERE state IN ('FAILED', 'PARTIALLY_PROCESSED'))::int AS "failedDeliveries",
      (SELECT count(*) FROM channel_problem WHERE cleared_at IS NULL AND (expires_at IS NULL OR expires_at > now()))::int AS "channelProblems",
      (SELECT count(*) FROM graphile_worker.jobs WHERE run_at <= now() AND locked_at IS NULL AND attempts < max_attempts)::int
        AS "dueJobs",
      (SELECT count(*) FROM graphile_worker.jobs WHERE attempts >= max_attempts)::int AS "failedJobs",
      (SELECT seq FROM stream_head) AS head`);
  const [queues] = rows;
  if (!queues) throw new Error('the queues could not be read');
  return queues;
}
