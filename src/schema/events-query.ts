import type { Context } from '../context.ts';
import type { EventType, LoggedEvent } from '../db/event-log.ts';
import { readStreamHead } from '../db/stream-head.ts';
import { badInput, unauthenticated } from '../errors.ts';
import { checkCursor, cursorExpired, decodeStreamCursor, encodeStreamCursor } from '../events/cursor.ts';
import { createEventStore, follows } from '../events/event-store.ts';
import { builder } from './builder.ts';
import { WITHIN_PAGE } from './field-complexity.ts';
import { ChatEvent, ChatEventType } from './chat-event.ts';
import { mayHear, wantedTypes } from './event-subscriptions.ts';

type EventPageShape = { events: LoggedEvent[]; cursor: string; hasMore: boolean; oldestAvailable: string };

const EventPage = builder.objectRef<EventPageShape>('EventPage').implement({
  description: 'A page of the event stream.',
  fields: (t) => ({
    events: t.field({ type: [ChatEvent], complexity: WITHIN_PAGE, resolve: (page) => page.events }),
    cursor: t.expose('cursor', {
      type: 'EventCursor',
      description: 'Go on from here; it moves even where nothing matched.',
    }),
    hasMore: t.exposeBoolean('hasMore'),
    oldestAvailable: t.expose('oldestAvailable', { type: 'EventCursor' }),
  }),
});

const MAX_EVENTS = 500;
/** What is read for one answer; where little of it matched, the cursor moves and `hasMore` says to go on. */
const MAX_PAGES = 10;

builder.queryField('events', (t) =>
  t.field({
    type: EventPage,
    nullable: true,
    description:
      'The event stream in pages, for catching up without a socket. Needs READ_EVENTS. An old cursor ends in CURSOR_EXPIRED.',
    authScopes: { scope: 'READ_EVENTS' },
    args: {
      after: t.arg({ type: 'EventCursor', required: true }),
      first: t.arg.int({ defaultValue: 100, description: `1 to ${MAX_EVENTS}.` }),
      types: t.arg({ type: [ChatEventType] }),
    },
    resolve: (_root, { after, first, types }, context) => eventPage(after, first ?? 100, types ?? null, context),
  }),
);

/** Reads until the page is full or the head is reached; what the viewer may not see still moves the cursor. */
async function eventPage(
  after: string,
  first: number,
  types: EventType[] | null,
  context: Context,
): Promise<EventPageShape> {
  const { viewer, db } = context;
  if (!viewer) throw unauthenticated();
  if (first < 1 || first > MAX_EVENTS) throw badInput(`first must be from 1 to ${MAX_EVENTS}.`, 'first');
  const wanted = wantedTypes(types);
  const head = await readStreamHead(db.pool);
  let seq = checkCursor(decodeStreamCursor(after), head);
  const store = createEventStore(db.pool);
  const events: LoggedEvent[] = [];
  for (let pages = 0; pages < MAX_PAGES && seq < head.seq && events.length < first; pages++) {
    const page = await store.read(seq, MAX_EVENTS);
    if (!follows(page, seq)) throw cursorExpired('RETENTION', await readStreamHead(db.pool));
    if (page.at(-1)?.epoch !== head.epoch) throw cursorExpired('EPOCH_CHANGED', await readStreamHead(db.pool));
    for (const event of page) {
      if (events.length === first) break;
      seq = event.seq;
      if (wanted(event) && mayHear(viewer, event)) events.push(event);
    }
  }
  const { epoch, floorSeq } = head;
  return {
    events,
    cursor: encodeStreamCursor({ epoch, seq }),
    hasMore: seq < head.seq,
    oldestAvailable: encodeStreamCursor({ epoch, seq: floorSeq }),
  };
}
