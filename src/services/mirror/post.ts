import { v7 as uuid } from 'uuid';
import { noteKnown, saveMirroredPost } from '../../db/statements/mirrored-requests.ts';
import { touchRequest } from '../../db/statements/requests.ts';
import type { Transaction } from '../../db/transaction.ts';
import { Failure, NotFoundError } from '../../errors.ts';
import { lockRequest } from '../requests/lock.ts';
import { Problems } from '../requests/problems.ts';
import { checkText } from '../requests/texts.ts';
import { tellRequestChanged } from '../requests/tell.ts';
import type { IncomingPost } from './changes.ts';
import { findRequest } from './request.ts';

/** What was written in CDESK stands beside the request here, too; a second time under the same id it is edited. */
export async function applyPost(tx: Transaction, { request: told, post }: IncomingPost): Promise<void> {
  const requestId = await findRequest(tx, told);
  if (!requestId) throw new Failure(new NotFoundError('There is no such request.', ['input', 'request']));
  const request = await lockRequest(tx, requestId);
  const problems = new Problems();
  const body = checkText(problems, post.body, 'post', 'body');
  problems.refuse();
  const { externalId, kind, author: authorName = null, createdAt = tx.now } = post;
  const row = { id: uuid(), externalId, requestId, kind, authorName, body, createdAt };
  if (!(await saveMirroredPost(tx, row))) return;
  await touchRequest(tx, requestId);
  await noteKnown(tx, requestId, request.revision);
  const change = { fields: ['discussion'], internal: kind === 'INTERNAL_NOTE' };
  tellRequestChanged(tx, request, { operatorId: null }, change);
}
