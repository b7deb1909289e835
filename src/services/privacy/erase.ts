import type { Database } from '../../db/database.ts';
import {
  addErasureJob,
  blankConversations,
  blankEvents,
  blankParticipants,
  blankRequests,
  deleteExportsOf,
  deleteMessages,
  deleteParkedItems,
  dropMarkJobs,
  findDeliveriesNaming,
  lockConversationsOf,
  lockPerson,
  rewriteDelivery,
} from '../../db/statements/erasure.ts';
import { transaction } from '../../db/transaction.ts';
import { Failure, NotFoundError, ValidationError } from '../../errors.ts';
import type { Actor } from '../actor.ts';
import { recordAudit } from '../audit.ts';
import type { RequestConnector } from '../connector.ts';
import { tellRequestsChanged } from '../requests/tell.ts';
import { withoutPerson } from './delivery-body.ts';
import { identifiersOf, patternOf } from './identifiers.ts';

/** What is left to do outside of the transaction. The job is repeated until all of it is done. */
export type ErasureWork = { identifiers: string[]; storageKeys: string[] };

export type Erased = { erasedMessages: number; erasedAttachments: number };

const MAX_REASON_LENGTH = 500;

/**
 * Takes a person out of everything that is kept: names and numbers, messages, files, search text, raw deliveries and
 * events. Conversations and requests stay as numbers without a person. A second time changes nothing.
 */
export async function eraseParticipant(
  db: Database,
  actor: Actor,
  connector: RequestConnector,
  { participantId, reason }: { participantId: string; reason: string },
): Promise<Erased> {
  const why = checkedReason(reason);
  return transaction(db, async (tx) => {
    const people = await lockPerson(tx, participantId);
    if (people.length === 0) throw notFound();
    if (people.every(({ erasedAt }) => erasedAt !== null)) return { erasedMessages: 0, erasedAttachments: 0 };
    const ids = people.map(({ id }) => id);
    const conversations = await lockConversationsOf(tx, ids);
    const conversationIds = conversations.map(({ id }) => id);
    const identifiers = identifiersOf(people);

    const gone = await deleteMessages(tx, { conversationIds });
    if (identifiers.length > 0) await deleteParkedItems(tx, patternOf(identifiers));
    await dropMarkJobs(tx, conversationIds);
    await blankConversations(tx, conversationIds);
    const requests = await blankRequests(tx, conversationIds, gone.requestIds);
    await blankEvents(tx, conversationIds);
    await blankParticipants(tx, ids);
    const exports = await deleteExportsOf(tx, ids);
    await addErasureJob(tx, { identifiers, storageKeys: [...gone.storageKeys, ...exports] } satisfies ErasureWork);

    const subject = { type: 'Participant', id: participantId };
    await recordAudit(tx, actor, { action: 'PARTICIPANT_ERASED', subject, detail: why });
    for (const { id, businessNumberId } of conversations) {
      tx.append({
        type: 'CONVERSATION_CHANGED',
        conversationId: id,
        businessNumberId,
        occurredAt: tx.now,
        data: { changedFields: ['participant', 'messages'] },
      });
    }
    const change = { fields: ['description', 'linkedMessages', 'attachments'] };
    await tellRequestsChanged(tx, requests, actor, change, connector);
    return { erasedMessages: gone.messages, erasedAttachments: gone.attachments };
  });
}

const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** A few deliveries per transaction, so that nobody waits for a large table. */
export async function eraseFromDeliveries(db: Database, identifiers: readonly string[]): Promise<void> {
  if (identifiers.length === 0) return;
  let afterId: string | undefined = FIRST_ID;
  while (afterId !== undefined) afterId = await eraseFromNext(db, [...identifiers], afterId);
}

function eraseFromNext(db: Database, identifiers: string[], afterId: string): Promise<string | undefined> {
  return transaction(db, async (tx) => {
    const found = await findDeliveriesNaming(tx, identifiers, afterId);
    for (const { id, body } of found) await rewriteDelivery(tx, id, withoutPerson(body, identifiers));
    return found.at(-1)?.id;
  });
}

function checkedReason(reason: string): string {
  const trimmed = reason.trim();
  if (trimmed !== '' && trimmed.length <= MAX_REASON_LENGTH) return trimmed;
  throw new Failure(
    new ValidationError('REASON_LENGTH', `A reason has 1 to ${MAX_REASON_LENGTH} characters.`, ['input', 'reason']),
  );
}

export function notFound(): Failure {
  return new Failure(new NotFoundError('There is no such participant.', ['input', 'participantId']));
}
