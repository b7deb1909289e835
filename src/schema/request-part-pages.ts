import DataLoader from 'dataloader';
import { hasScope } from '../auth.ts';
import type { Context } from '../context.ts';
import type { KeysetPosition, PageRequest } from '../db/keyset.ts';
import { findDiscussionPages, findLinkedMessagePages } from '../db/statements/request-part-pages.ts';
import type { DiscussionPost, Message } from '../generated/prisma/client.ts';
import {
  encodeCursor,
  isInstant,
  isInteger,
  isTimePosition,
  pageRequest,
  toPage,
  type PageArguments,
} from './connection.ts';
import { createdOrder } from './created-order.ts';
import { grouped } from './loading.ts';
import { perContext } from './per-context.ts';
import { postsSeenBy } from './request-access.ts';
import { streamCursor } from './stream.ts';

const MESSAGES = 'linked-messages';
const DISCUSSION = 'discussion';

/** The messages filed under a request, in the order of their conversation. */
export async function linkedMessagePage(requestId: string, args: PageArguments, context: Context) {
  const request = pageRequest(args, MESSAGES, isMessagePosition);
  const asOf = await streamCursor(context);
  const rows = await messagePages(context).of(request).load(requestId);
  const page = toPage<Message>(rows, request, (row) =>
    encodeCursor(MESSAGES, [row.sentSecond.toISOString(), row.sequence]),
  );
  return { ...page, asOf, totalCount: () => messageCounts(context).load(requestId) };
}

function isMessagePosition([second, sequence, ...rest]: KeysetPosition): boolean {
  return isInstant(second) && isInteger(sequence) && rest.length === 0;
}

/** Oldest first. Internal notes are neither listed nor counted for those who may not see them. */
export async function discussionPage(requestId: string, args: PageArguments, context: Context) {
  const request = pageRequest(args, DISCUSSION, isTimePosition);
  const rows = await postPages(context).of(request).load(requestId);
  const page = toPage<DiscussionPost>(rows, request, createdOrder(DISCUSSION, 'oldest').cursorOf);
  return { ...page, totalCount: () => postCounts(context).load(requestId) };
}

const messagePages = perContext(({ db }: Context) =>
  byPage((page) =>
    grouped(
      (ids) => findLinkedMessagePages(db.pool, ids, page),
      (row) => row.requestId,
    ),
  ),
);

const postPages = perContext(({ db, viewer }: Context) =>
  byPage((page) =>
    grouped(
      (ids) => findDiscussionPages(db.pool, ids, page, { withNotes: hasScope(viewer, 'READ_INTERNAL_NOTES') }),
      (row) => row.requestId,
    ),
  ),
);

const messageCounts = perContext(({ db }: Context) =>
  counted(async (ids) => {
    const where = { requestId: { in: ids } };
    const counts = await db.prisma.messageRequestLink.groupBy({ by: ['requestId'], where, _count: { _all: true } });
    return counts.map(({ requestId, _count }) => [requestId, _count._all]);
  }),
);

const postCounts = perContext(({ db, viewer }: Context) =>
  counted(async (ids) => {
    const where = { AND: [{ requestId: { in: ids } }, postsSeenBy(viewer)] };
    const counts = await db.prisma.discussionPost.groupBy({ by: ['requestId'], where, _count: { _all: true } });
    return counts.map(({ requestId, _count }) => [requestId, _count._all]);
  }),
);

/** One loader for each page that is asked for: one statement for the same page of every request of an answer. */
function byPage<Row>(create: (page: PageRequest) => DataLoader<string, Row[]>): {
  of: (page: PageRequest) => DataLoader<string, Row[]>;
} {
  const loaders = new Map<string, DataLoader<string, Row[]>>();
  return {
    of(page) {
      const key = JSON.stringify(page);
      const loader = loaders.get(key) ?? create(page);
      loaders.set(key, loader);
      return loader;
    },
  };
}

function counted(load: (ids: string[]) => Promise<[requestId: string, count: number][]>): DataLoader<string, number> {
  return new DataLoader(async (ids) => {
    const counts = new Map(await load([...ids]));
    return ids.map((id) => counts.get(id) ?? 0);
  });
}
