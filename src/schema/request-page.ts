import type { Context } from '../context.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { isTimePosition, pageRequest, toPage, type PageArguments } from './connection.ts';
import { createdOrder } from './created-order.ts';
import { requestsSeenBy, seesText } from './request-access.ts';
import { requestsMatching, type RequestFilter } from './request-filter.ts';
import { containsWords } from './search-words.ts';
import { streamCursor } from './stream.ts';

export type RequestListArguments = PageArguments & { filter?: RequestFilter | null; search?: string | null };

const ORDER = 'requests';
const order = createdOrder(ORDER, 'newest');

/** Newest first, among those that the viewer may see. */
export async function requestPage(among: Prisma.RequestWhereInput, args: RequestListArguments, context: Context) {
  const page = pageRequest(args, ORDER, isTimePosition);
  const asOf = await streamCursor(context);
  const where = { AND: [among, requestsSeenBy(context.viewer), ...(await asked(args, context))] };
  const rows = await context.db.prisma.request.findMany({
    where: { AND: [where, ...order.beyond(page)] },
    orderBy: order.orderBy(page),
    take: page.size + 1,
  });
  for (const row of rows) context.loaders.request.prime(row.id, row);
  return {
    ...toPage(rows, page, order.cursorOf),
    asOf,
    totalCount: () => context.db.prisma.request.count({ where }),
  };
}

async function asked({ filter, search }: RequestListArguments, context: Context): Promise<Prisma.RequestWhereInput[]> {
  const words = containsWords(search, 'search');
  // Who may not read names must not find out by searching what stands in them.
  const found = seesText(context.viewer)
    ? words
    : words.map(({ searchText }) => ({ code: { ...searchText, mode: 'insensitive' as const } }));
  if (!filter) return found;
  const { settings } = await context.readModule.current();
  return [...found, requestsMatching(filter, new Date(), settings.timeZone)];
}
