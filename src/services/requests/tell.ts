import { touchRequest, type LockedRequest, type RequestPlace } from '../../db/statements/requests.ts';
import type { Transaction } from '../../db/transaction.ts';
import type { RequestVisibility } from '../../generated/prisma/enums.ts';
import type { Actor } from '../actor.ts';
import type { RequestConnector } from '../connector.ts';

/** Who saw it until now must learn that it is gone, and who sees it from now on that it is there. */
export function widerVisibility(
  before: Pick<LockedRequest, 'visibility'>,
  after: Pick<LockedRequest, 'visibility'>,
): RequestVisibility {
  return before.visibility === 'REGULAR' ? 'REGULAR' : after.visibility;
}

/** Tells that fields of a request changed, by the names they have in the schema. */
export function tellRequestChanged(
  tx: Transaction,
  request: RequestPlace,
  actor: Pick<Actor, 'operatorId'>,
  change: { fields: string[]; internal?: boolean },
): void {
  tx.append({
    type: 'REQUEST_CHANGED',
    requestId: request.id,
    conversationId: request.conversationId,
    businessNumberId: request.businessNumberId,
    operatorId: actor.operatorId,
    occurredAt: tx.now,
    data: { changedFields: change.fields, internal: change.internal || request.visibility === 'INTERNAL' },
  });
}

/** The same of several that stand written already, to their store, too. */
export async function tellRequestsChanged(
  tx: Transaction,
  requests: readonly RequestPlace[],
  actor: Pick<Actor, 'operatorId'>,
  change: { fields: string[] },
  connector: RequestConnector,
): Promise<void> {
  for (const request of requests) {
    tellRequestChanged(tx, request, actor, change);
    await connector.requestChanged(tx, request.id);
  }
}

export function tellLinkChanged(
  tx: Transaction,
  request: RequestPlace,
  actor: Pick<Actor, 'operatorId'>,
  change: { messageId: string; linked: boolean },
): void {
  tx.append({
    type: 'REQUEST_LINK_CHANGED',
    requestId: request.id,
    messageId: change.messageId,
    conversationId: request.conversationId,
    businessNumberId: request.businessNumberId,
    operatorId: actor.operatorId,
    occurredAt: tx.now,
    data: { linked: change.linked, internal: request.visibility === 'INTERNAL' },
  });
}

/** What a change of something that hangs on a request ends with. */
export async function finishPartChange(
  tx: Transaction,
  request: RequestPlace,
  actor: Pick<Actor, 'operatorId'>,
  change: { fields: string[]; internal?: boolean },
  connector: RequestConnector,
): Promise<void> {
  await touchRequest(tx, request.id);
  tellRequestChanged(tx, request, actor, change);
  await connector.requestChanged(tx, request.id);
}
