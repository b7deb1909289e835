import type { Database } from '../../db/database.ts';
import type { MessageRow } from '../../db/rows.ts';
import { findMessages } from '../../db/statements/messages.ts';
import { addLinkRow, findLinkRole, removeLinkRow } from '../../db/statements/request-parts.ts';
import { touchRequest, type LockedRequest } from '../../db/statements/requests.ts';
import { transaction, type Transaction } from '../../db/transaction.ts';
import { Failure, NotFoundError, ValidationError } from '../../errors.ts';
import type { Actor } from '../actor.ts';
import { isFilable } from '../message-rules.ts';
import { lockRequest } from './lock.ts';
import { tellLinkChanged } from './tell.ts';
import type { RequestDesk } from './desk.ts';

export type LinkedPair = { messageId: string; requestId: string };

/** Files a message under a request of its own conversation. Safe to repeat. */
export async function linkMessageToRequest(
  db: Database,
  actor: Actor,
  pair: LinkedPair,
  desk: RequestDesk,
): Promise<LinkedPair> {
  return transaction(db, async (tx) => {
    const { request, message } = await lockPair(tx, pair);
    if (!isFilable(message)) {
      const error = new ValidationError('DELETED', 'The message was deleted.', ['input', 'messageId']);
      throw new Failure(error);
    }
    const added = await addLinkRow(tx, { ...pair, role: 'LINKED', linkedById: actor.operatorId });
    if (added > 0) await finish(tx, request, actor, { messageId: pair.messageId, linked: true }, desk);
    return pair;
  });
}

/** Takes a message out again; the one that the request was made from stays. Safe to repeat. */
export async function unlinkMessageFromRequest(
  db: Database,
  actor: Actor,
  pair: LinkedPair,
  desk: RequestDesk,
): Promise<LinkedPair> {
  return transaction(db, async (tx) => {
    const { request } = await lockPair(tx, pair);
    if ((await findLinkRole(tx, pair)) === 'SOURCE') {
      const sentence = 'The request was made from this message: it stays linked.';
      throw new Failure(new ValidationError('SOURCE_LINK', sentence, ['input', 'messageId']));
    }
    const removed = await removeLinkRow(tx, pair);
    if (removed > 0) await finish(tx, request, actor, { messageId: pair.messageId, linked: false }, desk);
    return pair;
  });
}

/** A message of another conversation does not exist here. */
async function lockPair(
  tx: Transaction,
  { messageId, requestId }: LinkedPair,
): Promise<{ request: LockedRequest; message: MessageRow }> {
  const request = await lockRequest(tx, requestId);
  const [message] = await findMessages(tx, [], [messageId]);
  if (message && message.conversationId === request.conversationId) return { request, message };
  const sentence = 'There is no such message in the conversation of this request.';
  throw new Failure(new NotFoundError(sentence, ['input', 'messageId']));
}

async function finish(
  tx: Transaction,
  request: LockedRequest,
  actor: Actor,
  change: { messageId: string; linked: boolean },
  desk: RequestDesk,
): Promise<void> {
  await touchRequest(tx, request.id);
  tellLinkChanged(tx, request, actor, change);
  await desk.connector.requestChanged(tx, request.id);
}
