import type { Database } from '../../db/database.ts';
import { updateRequestRow } from '../../db/statements/requests.ts';
import { transaction } from '../../db/transaction.ts';
import { StaleStateError } from '../../errors.ts';
import type { Actor } from '../actor.ts';
import { changedFields, changedRow, type FieldChange } from './change.ts';
import { lockRequest } from './lock.ts';
import { tellRequestChanged, widerVisibility } from './tell.ts';
import type { RequestDesk } from './desk.ts';
import { Problems } from './problems.ts';

export type RequestChange = FieldChange & { requestId: string; expectedVersion: number };

/** Changes the fields of a request that nobody changed since the actor read it. What changes nothing tells nothing. */
export async function updateRequest(
  db: Database,
  actor: Actor,
  change: RequestChange,
  desk: RequestDesk,
): Promise<{ requestId: string }> {
  return transaction(db, async (tx) => {
    const request = await lockRequest(tx, change.requestId);
    const problems = new Problems();
    const { version } = request;
    if (version !== change.expectedVersion)
      problems.add(new StaleStateError('Somebody changed the request meanwhile.', { currentVersion: version }));
    const next = await changedRow(tx, problems, request, change, 'operator');
    problems.refuse();
    const fields = changedFields(request, next);
    if (fields.length > 0) {
      await updateRequestRow(tx, { ...next, version: version + 1, updatedAt: tx.now });
      tellRequestChanged(tx, { ...request, visibility: widerVisibility(request, next) }, actor, { fields });
      await desk.connector.requestChanged(tx, request.id);
    }
    return { requestId: request.id };
  });
}
