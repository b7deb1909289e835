import type { Database } from '../../db/database.ts';
import {
  addRequestFileRows,
  addRequestTagRows,
  removeRequestFileRows,
  removeRequestTagRows,
} from '../../db/statements/request-parts.ts';
import type { LockedRequest } from '../../db/statements/requests.ts';
import { transaction, type Transaction } from '../../db/transaction.ts';
import type { Actor } from '../actor.ts';
import { lockRequest } from './lock.ts';
import { finishPartChange } from './tell.ts';
import { checkFiles, checkTags } from './checks.ts';
import type { RequestDesk } from './desk.ts';
import { Problems } from './problems.ts';

export type TagChange = { requestId: string; tagIds: readonly string[] };
export type FileChange = { requestId: string; attachmentIds: readonly string[] };
type Changed = { requestId: string };

/** Adds tags and leaves the others, so that two operators do not undo each other. Safe to repeat. */
export function addRequestTags(db: Database, actor: Actor, change: TagChange, desk: RequestDesk): Promise<Changed> {
  return changePart(db, actor, change.requestId, 'tags', desk, async (tx, { id }) =>
    addRequestTagRows(tx, id, await checkedTags(tx, change.tagIds)),
  );
}

export function removeRequestTags(db: Database, actor: Actor, change: TagChange, desk: RequestDesk): Promise<Changed> {
  return changePart(db, actor, change.requestId, 'tags', desk, async (tx, { id }) =>
    removeRequestTagRows(tx, id, await checkedTags(tx, change.tagIds)),
  );
}

/** Files are shared with the messages that brought them: none is copied. Safe to repeat. */
export function addRequestAttachments(
  db: Database,
  actor: Actor,
  { requestId, attachmentIds }: FileChange,
  desk: RequestDesk,
): Promise<Changed> {
  return changePart(db, actor, requestId, 'attachments', desk, async (tx, { id, conversationId }) => {
    const problems = new Problems();
    const ids = await checkFiles(tx, problems, { attachmentIds, conversationId }, actor);
    problems.refuse();
    return addRequestFileRows(tx, id, ids);
  });
}

/** Takes files from the request alone: a message keeps its own. What is not there is no error. */
export function removeRequestAttachments(
  db: Database,
  actor: Actor,
  { requestId, attachmentIds }: FileChange,
  desk: RequestDesk,
): Promise<Changed> {
  return changePart(db, actor, requestId, 'attachments', desk, (tx, { id }) =>
    removeRequestFileRows(tx, id, [...attachmentIds]),
  );
}

/** `work` gives back how many rows it changed; none means that there is nothing to tell. */
function changePart(
  db: Database,
  actor: Actor,
  requestId: string,
  field: 'tags' | 'attachments',
  desk: RequestDesk,
  work: (tx: Transaction, request: LockedRequest) => Promise<number>,
): Promise<Changed> {
  return transaction(db, async (tx) => {
    const request = await lockRequest(tx, requestId);
    const changed = await work(tx, request);
    if (changed > 0) await finishPartChange(tx, request, actor, { fields: [field] }, desk.connector);
    return { requestId };
  });
}

async function checkedTags(tx: Transaction, tagIds: readonly string[]): Promise<string[]> {
  const problems = new Problems();
  const ids = await checkTags(tx, problems, tagIds);
  problems.refuse();
  return ids;
}
