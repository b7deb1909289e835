import type { Database } from '../../db/database.ts';
import {
  addMirrorJob,
  findRequestState,
  requeueMirrors,
  settleMirror,
  type RequestState,
} from '../../db/statements/request-mirror.ts';
import type { RequestConnector } from '../connector.ts';

const MAX_REQUEUED = 10_000;

/** CDESK keeps requests, too: every change leaves a job behind, in its own transaction. */
export const mirroringStore: RequestConnector = { name: 'http', requestChanged: addMirrorJob };

/** The whole present state of a request with its revision; null where it is gone for good. */
export function stateToMirror(db: Database, requestId: string): Promise<RequestState | null> {
  return findRequestState(db.pool, requestId);
}

export function noteMirrored(
  db: Database,
  mirrored: { requestId: string; revision: number; externalId: string | null },
): Promise<void> {
  return settleMirror(db, mirrored);
}

/** For requests from before there was a connector, and those whose job gave up. */
export function requeueUnmirrored(db: Database): Promise<number> {
  return requeueMirrors(db.pool, MAX_REQUEUED);
}
