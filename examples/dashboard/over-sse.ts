import { createSeen, readCursor, writeCursor } from './cursor-file.ts';
import { EVENTS, lineOf, type DashboardEvent } from './events.ts';
import { describe, errorsIn, giveUp, sequelOf, type Sequel } from './refusal.ts';
import { readEvents } from './server-sent-events.ts';

/** The same with nothing but `fetch`: TOKEN=… npm run dashboard:sse */
const {
  URL: url = 'http://localhost:4000/graphql',
  TOKEN: token = '',
  CURSOR_FILE: file = '.dashboard-cursor',
} = process.env;
const MAX_PAUSE_MS = 10_000;
const isSeen = createSeen();
let pauseMs = 500;

while ((await follow()) !== 'stop') {
  await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random())));
  pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
}

/** One connection, to its end. */
async function follow(): Promise<Sequel> {
  try {
    const answer = await connect(readCursor(file));
    if (answer.status !== 200 || !answer.body) return await refused(answer);
    for await (const { event, id, data } of readEvents(answer.body)) {
      if (event !== 'next') continue;
      pauseMs = 500;
      const errors = errorsIn(data);
      if (errors.length === 0) show(data);
      // One event that failed is asked for again after a reconnect; only a last frame ends the stream.
      else if (id === null) console.error(`(${describe(errors)})`);
      else return ended(sequelOf(errors), describe(errors));
    }
    console.error('(cut off: the stream ended)');
  } catch (error) {
    console.error(`(cut off: ${error instanceof Error ? error.message : String(error)})`);
  }
  return 'resume';
}

function connect(cursor: string | null): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${token}`,
      ...(cursor && { 'last-event-id': cursor }),
    },
    body: JSON.stringify({ query: EVENTS }),
  });
}

/** The cursor is the event's own. A frame's id is not always one: the last frame's says only that the stream ended. */
function show(text: string): void {
  // The shape of EVENTS, without errors.
  const { events } = (JSON.parse(text) as { data: { events: DashboardEvent } }).data;
  const line = isSeen(events.eventId) ? null : lineOf(events);
  if (line) console.log(line);
  writeCursor(file, events.cursor);
}

async function refused(answer: Response): Promise<Sequel> {
  const text = await answer.text();
  const errors = errorsIn(text);
  const why = `${answer.status} ${errors.length > 0 ? describe(errors) : text || `the stream has ended for what is in ${file}`}`;
  if (answer.status >= 500 || answer.status === 429) return ended('resume', why);
  return ended(sequelOf(errors) === 'begin anew' ? 'begin anew' : 'stop', why);
}

/** An expired cursor is forgotten; a real dashboard loads its lists again. */
function ended(sequel: Sequel, why: string): Sequel {
  if (sequel === 'stop') giveUp(why, token);
  if (sequel === 'resume') console.error(`(cut off: ${why})`);
  if (sequel === 'begin anew') {
    console.log('(some events were missed; going on from now)');
    writeCursor(file, '');
  }
  return sequel;
}
