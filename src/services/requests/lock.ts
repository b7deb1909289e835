import { lockRequestRow, type LockedRequest } from '../../db/statements/requests.ts';
import type { Transaction } from '../../db/transaction.ts';
import { Failure, NotFoundError } from '../../errors.ts';

/** Locks a request against every other change of it. Deleted ones do not exist. */
export async function lockRequest(tx: Transaction, id: string): Promise<LockedRequest> {
  const request = await lockRequestRow(tx, id);
  if (request && !request.deletedAt) return request;
  throw new Failure(new NotFoundError('There is no such request.', ['input', 'requestId']));
}
