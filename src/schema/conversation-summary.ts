import { hasScope } from '../auth.ts';
import type { Context } from '../context.ts';
import type { LoggedType } from '../db/event-log.ts';
import { readSummary } from '../db/statements/summary.ts';
import { unauthenticated } from '../errors.ts';
import { encodeStreamCursor, isKept } from '../events/cursor.ts';
import type { SnapshotSource } from '../events/stream-source.ts';
import { dayOf } from '../services/local-days.ts';
import { builder } from './builder.ts';
import { forbiddenWithout } from './rights.ts';
import { streamed } from './streamed.ts';

type Summary = {
  handledToday: number;
  waiting: number;
  waitingMine: number;
  oldestWaitingSince: Date | null;
  unreadConversations: number;
  day: string;
  timeZone: string;
  dayEndsAt: Date;
  asOf: string;
};

const ConversationSummary = builder.objectRef<Summary>('ConversationSummary').implement({
  description: 'What the viewer did today and what waits, of the conversations that they may see.',
  fields: (t) => ({
    handledToday: t.exposeInt('handledToday', {
      description:
        'Distinct conversations that the viewer answered, or closed as needing no reply, since local midnight. A reply that was never accepted does not count. 0 for a dashboard token.',
    }),
    waiting: t.exposeInt('waiting', { description: 'Conversations whose beacon is on.' }),
    waitingMine: t.exposeInt('waitingMine', { description: 'Those of them that the viewer answered last.' }),
    oldestWaitingSince: t.expose('oldestWaitingSince', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when the customer who waits longest has waited; null while nobody does.',
    }),
    unreadConversations: t.exposeInt('unreadConversations'),
    day: t.expose('day', { type: 'Date', description: 'The local day that handledToday counts.' }),
    timeZone: t.expose('timeZone', { type: 'TimeZone' }),
    dayEndsAt: t.expose('dayEndsAt', {
      type: 'DateTime',
      description:
        'The next local midnight, when handledToday falls to 0. A day has 23 or 25 hours where clocks change.',
    }),
    asOf: t.expose('asOf', { type: 'EventCursor', description: 'Stream position at which these were the figures.' }),
  }),
});

const zoneDescription = "Whose midnight ends the day; else the organisation's.";

builder.queryField('conversationSummary', (t) =>
  t.field({
    type: ConversationSummary,
    nullable: true,
    description: 'The figures of the side panel. A token needs READ_COUNTERS.',
    authScopes: { scope: 'READ_COUNTERS' },
    args: { timeZone: t.arg({ type: 'TimeZone', description: zoneDescription }) },
    resolve: async (_root, { timeZone }, context) => summaryOf(await zoneOf(timeZone, context), context),
  }),
);

const changing = new Set<LoggedType>([
  'CONVERSATION_CHANGED',
  'MESSAGE_ADDED',
  'MESSAGE_UPDATED',
  'MESSAGE_STATUS_CHANGED',
  'BEACON_CHANGED',
  'UNREAD_CHANGED',
]);

const figures: SnapshotSource<Summary> = {
  kind: 'snapshot',
  async open(args, context) {
    if (!context.viewer) throw unauthenticated();
    if (!hasScope(context.viewer, 'READ_COUNTERS'))
      throw forbiddenWithout('READ_COUNTERS', context.viewer, 'You may not see the counters.');
    const timeZone = await zoneOf((args as { timeZone?: string | null }).timeZone, context);
    let last: Summary | null = null;
    return {
      concerns: (event) => changing.has(event.type),
      nextAt: (after) => dayOf(after, timeZone).lt,
      // A change that moves no figure is none: its position alone is news only once nobody can go on from the last one.
      async read(context) {
        const next = await summaryOf(timeZone, context);
        if (!last || !isEqual(last, next) || !isKept(last.asOf, context.hub.head())) last = next;
        return last;
      },
    };
  },
};

builder.subscriptionField('conversationSummary', (t) =>
  t.field({
    type: ConversationSummary,
    description:
      'The present figures at once, then whenever one changes (at most once a second) and at each local midnight. A token needs READ_COUNTERS.',
    args: { timeZone: t.arg({ type: 'TimeZone', description: zoneDescription }) },
    ...streamed(figures),
    resolve: (summary) => summary,
  }),
);

async function zoneOf(timeZone: string | null | undefined, { readModule }: Context): Promise<string> {
  return timeZone ?? (await readModule.current()).settings.timeZone;
}

async function summaryOf(timeZone: string, { db, env, viewer }: Context): Promise<Summary> {
  const { date, ...day } = dayOf(new Date(), timeZone);
  const { epoch, seq, ...counted } = await readSummary(db.pool, {
    day,
    operatorId: viewer?.kind === 'operator' ? viewer.operatorId : null,
    businessNumberIds: viewer?.kind === 'token' && viewer.businessNumberIds ? [...viewer.businessNumberIds] : null,
    countsWaived: env.summaryCountsWaived,
  });
  return { ...counted, day: date, timeZone, dayEndsAt: day.lt, asOf: encodeStreamCursor({ epoch, seq }) };
}

function isEqual(last: Summary, next: Summary): boolean {
  return JSON.stringify({ ...last, asOf: '' }) === JSON.stringify({ ...next, asOf: '' });
}
