import type { Task } from 'graphile-worker';
import { z } from 'zod';
import type { ConnectorClient } from '../connector/client.ts';
import type { Database } from '../db/database.ts';
import type { Log } from '../log.ts';
import { noteMirrored, stateToMirror } from '../services/mirror/outgoing.ts';

const payloadSchema = z.object({ requestId: z.string() });

/** Brings the present state of a request to CDESK. A throw makes the queue try again, later each time. */
export function createMirrorTask({ db, client, log }: { db: Database; client: ConnectorClient; log: Log }): Task {
  return async (payload, { job }) => {
    const { requestId } = payloadSchema.parse(payload);
    const request = await stateToMirror(db, requestId);
    if (!request) return;
    const { revision, state } = request;
    try {
      const { externalId } = await client.send({ type: 'request.changed', request: state }, `${requestId}:${revision}`);
      await noteMirrored(db, { requestId, revision, externalId });
    } catch (error) {
      const why = error instanceof Error ? error.message : 'unknown';
      log.warn({ requestId, revision, attempt: job.attempts, why }, 'a request did not reach CDESK; it is tried again');
      throw error;
    }
  };
}
