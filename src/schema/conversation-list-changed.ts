import DataLoader from 'dataloader';
import { hasScope, type Viewer } from '../auth.ts';
import type { Context } from '../context.ts';
import type { Condition } from '../db/condition.ts';
import type { LoggedEvent } from '../db/event-log.ts';
import { findAllMembers, findDifferences, findMembersAmong } from '../db/statements/list-members.ts';
import { unauthenticated } from '../errors.ts';
import { encodeStreamCursor, type StreamPosition } from '../events/cursor.ts';
import type { LogSource, LogStream } from '../events/stream-source.ts';
import type { Conversation as ConversationRow } from '../generated/prisma/client.ts';
import { isPersonal, listCondition, movesWithTime, type ListQuery } from '../services/list/list-query.ts';
import { Membership, type ListChangeKind } from '../services/list/membership.ts';
import { relativeZones } from '../services/list/filter-tree.ts';
import { dayOf } from '../services/local-days.ts';
import { builder } from './builder.ts';
import { Conversation } from './conversation.ts';
import { ConversationFilterInput, ConversationSearchInput } from './conversation-filter.ts';
import { mayHear } from './event-subscriptions.ts';
import { globalId } from './global-id.ts';
import { listFacts, listViewer, requestedList, type ListArguments } from './list-request.ts';
import { forbiddenWithout } from './rights.ts';
import { streamed } from './streamed.ts';

type Span = { from: Date; to: Date; at: StreamPosition };

type ListChange = {
  change: ListChangeKind;
  conversationId: string;
  conversation: ConversationRow | null;
  cursor: string;
};

const ListChangeEnum = builder.enumType('ListChange', {
  description: 'ENTERED and UPDATED: insert it or replace what is held. LEFT: remove it where it is held.',
  values: {
    ENTERED: { description: 'It is in the list now.' },
    UPDATED: { description: 'It is in the list still, with something changed.' },
    LEFT: { description: 'It is no longer in the list, or no longer seen.' },
  } as const,
});

const ConversationListChange = builder.objectRef<ListChange>('ConversationListChange').implement({
  description: 'What happened to one conversation in one filtered list.',
  fields: (t) => ({
    change: t.expose('change', { type: ListChangeEnum }),
    conversationId: t.id({ resolve: ({ conversationId }) => globalId('Conversation', conversationId) }),
    conversation: t.field({
      type: Conversation,
      nullable: true,
      description: 'As it is now; null for LEFT.',
      resolve: ({ conversation }) => conversation,
    }),
    cursor: t.expose('cursor', { type: 'EventCursor', description: 'Where to resume.' }),
  }),
});

const listChanges: LogSource<ListChange> = {
  kind: 'log',
  async open(args, context) {
    requireReader(context.viewer);
    // The schema has checked the arguments.
    const given = args as ListArguments;
    const { query } = await requestedList(given, context);
    return openList(query, given.timeZone ?? null, context);
  },
};

builder.subscriptionField('conversationListChanged', (t) =>
  t.field({
    type: ConversationListChange,
    description:
      'Tells a filtered list what entered, changed and left it, so that it need not be loaded again. Begin with the asOf of a page. A saved filter is taken as it was when subscribing; filter and saved filter together mean both. A token needs READ_EVENTS and READ_CONVERSATIONS.',
    args: {
      filter: t.arg({ type: ConversationFilterInput }),
      savedFilterId: t.arg.id(),
      search: t.arg({ type: ConversationSearchInput }),
      timeZone: t.arg({ type: 'TimeZone', description: "Of relative days; else the organisation's." }),
      after: t.arg({ type: 'EventCursor', description: 'Resume after this cursor; without it only from now on.' }),
    },
    ...streamed(listChanges),
    resolve: (change) => change,
  }),
);

function requireReader(viewer: Viewer | null): void {
  if (!viewer) throw unauthenticated();
  const missing = (['READ_EVENTS', 'READ_CONVERSATIONS'] as const).find((scope) => !hasScope(viewer, scope));
  if (missing) throw forbiddenWithout(missing, viewer, 'You may not follow the conversation list.');
}

const MAX_WHOLE = 2_000;

/** One for all who ask for the same list with the same rights: each conversation is looked at once for them. */
async function openList(query: ListQuery, timeZone: string | null, context: Context): Promise<LogStream<ListChange>> {
  const openedAt = new Date();
  const membership = new Membership({ isSteady: !movesWithTime(query) });
  const looks = new WeakMap<Context, Look>();
  const zones = await zonesOf(query, timeZone, context);
  // Without it everything is told, so nobody waits for it.
  void loadWhole(query, timeZone, context, membership);

  const stream = {
    key: JSON.stringify([query, timeZone, isPersonal(query) ? listViewer(context.viewer).operatorId : null]),
    hasMemory: true,
    wants(event: LoggedEvent, viewer: Viewer) {
      membership.see(event.seq);
      return event.conversationId !== null && mayHear(viewer, event);
    },
    async rootOf(event: LoggedEvent, context: Context, isLive = false) {
      const id = event.conversationId;
      if (id === null) return null;
      const look = looks.get(context) ?? createLook(query, timeZone, context);
      looks.set(context, look);
      look.newest.set(id, event.seq);
      const now = await look.members.load(id);
      // Whoever is to hear of this event hears of the newer one of the same conversation, too, and at once.
      if (look.newest.get(id) !== event.seq) return null;
      const conversation = now.isMember ? await context.loaders.conversation.load(id) : null;
      const isNew = () => (conversation?.insertedAt ?? openedAt) > openedAt;
      const change = membership.changeOf(id, event.seq, now, { isLive, isNew });
      return change && { change, conversationId: id, conversation, cursor: encodeStreamCursor(event) };
    },
    async rootsOnReopen(before: Viewer, context: Context, at: StreamPosition) {
      const facts = await listFacts([query], timeZone, context);
      const was = listCondition(query, listViewer(before), facts);
      const now = listCondition(query, listViewer(context.viewer), facts);
      return differences(was, now, at, context);
    },
    byTime:
      zones.length === 0
        ? undefined
        : {
            nextAt: (after: Date) => new Date(Math.min(...zones.map((zone) => dayOf(after, zone).lt.getTime()))),
            async rootsBetween({ from, to, at }: Span, context: Context) {
              const facts = await listFacts([query], timeZone, context);
              const conditionAt = (now: Date) => listCondition(query, listViewer(context.viewer), { ...facts, now });
              return differences(conditionAt(from), conditionAt(to), at, context);
            },
          },
  };
  return stream;
}

/** One look at the conversations of events that come together. */
type Look = {
  members: DataLoader<string, { isMember: boolean; seq: number }>;
  /** The last event of each conversation among them. */
  newest: Map<string, number>;
};

function createLook(query: ListQuery, timeZone: string | null, context: Context): Look {
  const members = new DataLoader<string, { isMember: boolean; seq: number }>(async (ids) => {
    const facts = await listFacts([query], timeZone, context);
    const condition = listCondition(query, listViewer(context.viewer), facts);
    const found = await findMembersAmong(context.db.pool, ids, condition);
    return ids.map((id) => ({ isMember: found.ids.has(id), seq: found.seq }));
  });
  return { members, newest: new Map() };
}

async function loadWhole(
  query: ListQuery,
  timeZone: string | null,
  context: Context,
  membership: Membership,
): Promise<void> {
  try {
    const facts = await listFacts([query], timeZone, context);
    const condition = listCondition(query, listViewer(context.viewer), facts);
    const members = await findAllMembers(context.db.pool, condition, MAX_WHOLE);
    if (members) membership.start(members);
  } catch (error) {
    context.log.debug({ err: error }, 'a list could not be loaded whole; everything is told');
  }
}

/** Relative days end at the midnights of these zones. */
async function zonesOf(query: ListQuery, timeZone: string | null, { readModule }: Context): Promise<string[]> {
  const fallback = timeZone ?? (await readModule.current()).settings.timeZone;
  return [...new Set(query.filters.flatMap(relativeZones).map((zone) => zone ?? fallback))];
}

async function differences(
  before: Condition,
  after: Condition,
  at: StreamPosition,
  { db, loaders }: Context,
): Promise<ListChange[]> {
  const found = await findDifferences(db.pool, before, after);
  const cursor = encodeStreamCursor(at);
  return Promise.all(
    found.map(async ({ id, isMember }) => ({
      change: isMember ? ('ENTERED' as const) : ('LEFT' as const),
      conversationId: id,
      conversation: isMember ? await loaders.conversation.load(id) : null,
      cursor,
    })),
  );
}
