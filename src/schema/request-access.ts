import { hasScope, type Viewer } from '../auth.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { numbersSeenBy } from './visibility.ts';

/**
 * The requests that exist for a viewer. A token that may not read internal notes knows nothing of internal requests,
 * and one that is limited to some business numbers sees what came from their conversations.
 */
export function requestsSeenBy(viewer: Viewer | null): Prisma.RequestWhereInput {
  if (!hasScope(viewer, 'READ_REQUESTS')) return { id: { in: [] } };
  const numbers = numbersSeenBy(viewer);
  return {
    deletedAt: null,
    ...(!hasScope(viewer, 'READ_INTERNAL_NOTES') && { visibility: 'REGULAR' }),
    ...(numbers && { conversation: { businessNumberId: { in: numbers } } }),
  };
}

export function postsSeenBy(viewer: Viewer | null): Prisma.DiscussionPostWhereInput {
  return hasScope(viewer, 'READ_INTERNAL_NOTES') ? {} : { kind: 'PUBLIC_POST' };
}

/** What people wrote, in a request as in a message, needs the scope for bodies. */
export function seesText(viewer: Viewer | null): boolean {
  return hasScope(viewer, 'READ_REQUESTS') && hasScope(viewer, 'READ_MESSAGE_BODIES');
}

/** The people and companies that the form offers are contact data. */
export const fillingIn = {
  $all: { scope: 'READ_REQUESTS', $all: { scope: 'READ_CONTACT_DATA' } },
} as const;

/** Null without READ_CONTACT_DATA. */
export function seesContacts(viewer: Viewer | null): boolean {
  return hasScope(viewer, 'READ_CONTACT_DATA');
}
