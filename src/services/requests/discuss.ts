import { v7 as uuid } from 'uuid';
import type { Database } from '../../db/database.ts';
import { addPostRow } from '../../db/statements/request-parts.ts';
import { findTokenName } from '../../db/statements/request-references.ts';
import { transaction } from '../../db/transaction.ts';
import type { DiscussionKind } from '../../generated/prisma/enums.ts';
import type { Actor } from '../actor.ts';
import { claimKey } from '../idempotency.ts';
import { lockRequest } from './lock.ts';
import { finishPartChange } from './tell.ts';
import { checkFiles } from './checks.ts';
import type { RequestDesk } from './desk.ts';
import { Problems } from './problems.ts';
import { checkText } from './texts.ts';

export type NewDiscussionPost = {
  requestId: string;
  kind: DiscussionKind;
  body: string;
  attachmentIds: readonly string[];
  idempotencyKey: string;
};

/** Writes beside the request. Nothing goes to WhatsApp, and the beacon does not move. */
export async function addDiscussionPost(
  db: Database,
  actor: Actor,
  { idempotencyKey: key, ...input }: NewDiscussionPost,
  desk: RequestDesk,
): Promise<{ postId: string; requestId: string; replayed: boolean }> {
  return transaction(db, async (tx) => {
    const id = uuid();
    const { requestId, kind } = input;
    const claim = { actor: actor.key, key, operation: 'addDiscussionPost', content: input, resultId: id };
    const first = await claimKey(tx, claim);
    if (first) return { postId: first, requestId, replayed: true };
    const request = await lockRequest(tx, requestId);
    const problems = new Problems();
    const body = checkText(problems, input.body, 'body');
    if (body.trim() === '') problems.invalid('REQUIRED', 'Write something.', 'body');
    const files = { attachmentIds: input.attachmentIds, conversationId: request.conversationId };
    const fileIds = await checkFiles(tx, problems, files, actor);
    problems.refuse();
    const authorName = actor.tokenId ? await findTokenName(tx, actor.tokenId) : null;
    const post = { id, requestId, kind, authorId: actor.operatorId, authorName, body, createdAt: tx.now };
    await addPostRow(tx, post, fileIds);
    const change = { fields: ['discussion'], internal: kind === 'INTERNAL_NOTE' };
    await finishPartChange(tx, request, actor, change, desk.connector);
    return { postId: id, requestId, replayed: false };
  });
}
