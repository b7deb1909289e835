import DataLoader from 'dataloader';
import { hasScope } from '../auth.ts';
import type { Context } from '../context.ts';
import type { KeysetPosition, PageRequest } from '../db/keyset.ts';
import { countMessages, findMessagePages, type MessageSelection } from '../db/statements/message-page.ts';
import { badInput, forbidden } from '../errors.ts';
import type { Message } from '../generated/prisma/client.ts';
import { MAX_SEARCH_LENGTH } from '../services/list/search.ts';
import { foldLine } from '../services/search-text.ts';
import { isLongerThan } from '../services/text-length.ts';
import { encodeCursor, isInstant, isInteger, pageRequest, toPage, type PageArguments } from './connection.ts';
import { argumentId, NOTHING } from './global-id.ts';
import { streamCursor } from './stream.ts';

export type MessageArguments = PageArguments & { search?: string | null; linkedToRequest?: string | null };

const ORDER = 'messages';

/** Messages of one conversation by time (whole seconds), then arrival: neither changes, so cursors are stable. */
export async function messagePage(conversationId: string, args: MessageArguments, context: Context) {
  const request = pageRequest(args, ORDER, isPosition);
  const selection = await selectionOf(args, context);
  const asOf = await streamCursor(context);
  const { pages, counts } = messageLoaders(request, selection, context);
  const page = toPage(await pages.load(conversationId), request, (row) =>
    encodeCursor(ORDER, [row.sentSecond.toISOString(), row.sequence]),
  );
  return { ...page, asOf, totalCount: () => counts.load(conversationId) };
}

function isPosition([second, sequence, ...rest]: KeysetPosition): boolean {
  return isInstant(second) && isInteger(sequence) && rest.length === 0;
}

async function selectionOf(
  { search, linkedToRequest }: MessageArguments,
  { viewer, loaders }: Context,
): Promise<MessageSelection> {
  if (search != null && isLongerThan(search, MAX_SEARCH_LENGTH))
    throw badInput(`search has at most ${MAX_SEARCH_LENGTH} characters.`, 'search');
  if (search != null && !hasScope(viewer, 'READ_MESSAGE_BODIES'))
    throw forbidden('search: you may not see message texts, so you may not search them.', undefined, 'search');
  if (linkedToRequest != null && !hasScope(viewer, 'READ_REQUESTS'))
    throw forbidden('linkedToRequest: you may not see requests.', undefined, 'linkedToRequest');
  return {
    words: foldLine(search ?? '')
      .split(' ')
      .filter(Boolean),
    linkedToRequestId: linkedToRequest == null ? null : await visibleRequestId(linkedToRequest, loaders),
  };
}

/** What the viewer may not see has no messages. */
async function visibleRequestId(global: string, loaders: Context['loaders']): Promise<string> {
  const request = await loaders.request.load(argumentId('Request', global, 'linkedToRequest'));
  return request?.id ?? NOTHING;
}

type MessageLoaders = { pages: DataLoader<string, Message[]>; counts: DataLoader<string, number> };

const loadersOf = new WeakMap<Context, Map<string, MessageLoaders>>();

/** One statement for the same page of every conversation of an answer. */
function messageLoaders(request: PageRequest, selection: MessageSelection, context: Context): MessageLoaders {
  const known = loadersOf.get(context) ?? new Map<string, MessageLoaders>();
  loadersOf.set(context, known);
  const key = JSON.stringify([request, selection]);
  const loaders = known.get(key) ?? createLoaders(request, selection, context);
  known.set(key, loaders);
  return loaders;
}

function createLoaders(request: PageRequest, selection: MessageSelection, { db }: Context): MessageLoaders {
  return {
    pages: new DataLoader(async (ids) => {
      const rows = await findMessagePages(db.pool, ids, request, selection);
      const pages = Map.groupBy(rows, (row) => row.conversationId);
      return ids.map((id) => pages.get(id) ?? []);
    }),
    counts: new DataLoader(async (ids) => {
      const rows = await countMessages(db.pool, ids, selection);
      const counts = new Map(rows.map((row) => [row.conversationId, row.count]));
      return ids.map((id) => counts.get(id) ?? 0);
    }),
  };
}
