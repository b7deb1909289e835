import { createSeen, readCursor, writeCursor } from './cursor-file.ts';
import { EVENTS, lineOf, type DashboardEvent } from './events.ts';
import { readEvents } from './server-sent-events.ts';

/** The same with nothing but `fetch`: TOKEN=… node over-sse.ts */
const {
  URL: url = 'http://localhost:4000/graphql',
  TOKEN: token = '',
  CURSOR_FILE: file = '.dashboard-cursor',
} = process.env;
const MAX_PAUSE_MS = 10_000;
const isSeen = createSeen();
let pauseMs = 500;

while (await follow()) {
  await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random())));
  pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
}

/** One connection; false where there is no sense in another one. */
async function follow(): Promise<boolean> {
  const cursor = readCursor(file);
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${token}`,
        ...(cursor && { 'last-event-id': cursor }),
      },
      body: JSON.stringify({ query: EVENTS }),
    });
    if (!answer.ok || !answer.body) return await refused(answer);
    for await (const { event, id, data } of readEvents(answer.body)) {
      if (event === 'next') show(data, id);
    }
  } catch (error) {
    console.error(`(cut off: ${error instanceof Error ? error.message : String(error)})`);
  }
  return true;
}

function show(data: string, id: string | null): void {
  pauseMs = 500;
  const { data: result, errors } = JSON.parse(data) as { data?: { events: DashboardEvent }; errors?: unknown };
  if (errors) console.error(JSON.stringify(errors));
  const line = result?.events && !isSeen(result.events.eventId) ? lineOf(result.events) : null;
  if (line) console.log(line);
  // A frame that failed carries no id: it is asked for again.
  if (id) writeCursor(file, id);
}

/** 204 says: do not come back. An expired cursor is forgotten; a real dashboard loads its lists again. */
async function refused(answer: Response): Promise<boolean> {
  const text = await answer.text();
  if (!text.includes('CURSOR_EXPIRED')) {
    console.error(answer.status, text);
    return answer.status >= 500 || answer.status === 429;
  }
  console.log('(some events were missed; going on from now)');
  writeCursor(file, '');
  return true;
}
