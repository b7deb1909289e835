import { createClient } from 'graphql-ws';
import { createSeen, readCursor, writeCursor } from './cursor-file.ts';
import { EVENTS, lineOf, type DashboardEvent } from './events.ts';
import { areErrors, describe, giveUp, sequelOf } from './refusal.ts';
import { resuming } from './resuming.ts';

/** Live beacons and statuses in the terminal, over graphql-ws: TOKEN=… npm run dashboard */
const {
  URL: address = 'http://localhost:4000/graphql',
  TOKEN: token = '',
  CURSOR_FILE: file = '.dashboard-cursor',
} = process.env;
const url = address.replace(/^http/, 'ws');
const isSeen = createSeen();

const client = resuming(
  createClient({
    url,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: Number.POSITIVE_INFINITY,
    // Everything that is not final is tried again, with growing pauses.
    shouldRetry: (event) => !isFinal(closeOf(event).code),
    on: {
      closed(event) {
        const { code, text } = closeOf(event);
        if (code !== 1000 && !isFinal(code)) console.error(`(cut off: ${text}, ${url})`);
      },
    },
  }),
  (data) => (data.events as DashboardEvent | null)?.cursor ?? null,
);

follow(readCursor(file));

function follow(after: string | null): void {
  client.subscribe<{ events: DashboardEvent }>(
    { query: EVENTS, variables: { after } },
    {
      next({ data, errors }) {
        if (errors) console.error(`(${describe(errors)})`);
        if (!data || errors) return;
        const line = isSeen(data.events.eventId) ? null : lineOf(data.events);
        if (line) console.log(line);
        writeCursor(file, data.events.cursor);
      },
      error: ended,
      complete: () => {},
    },
  );
}

function ended(error: unknown): void {
  if (!areErrors(error)) return giveUp(closeOf(error).text, token);
  const sequel = sequelOf(error);
  if (sequel === 'stop') return giveUp(describe(error), token);
  if (sequel === 'resume') {
    console.error(`(cut off: ${describe(error)})`);
    return follow(readCursor(file));
  }
  // What lies between is not kept any more: a real dashboard loads its lists again here, and goes on from their asOf.
  console.log('(some events were missed; going on from now)');
  follow(null);
}

/** 4403: signed out, revoked or never known. 1009: what we send is too large. */
function isFinal(code: number | undefined): boolean {
  return code === 4403 || code === 1009;
}

/** A CloseEvent of whichever WebSocket there is, or an error of the network. */
function closeOf(event: unknown): { code: number | undefined; text: string } {
  const { code, reason, message } = event as { code?: number; reason?: string; message?: string };
  return { code, text: [code, reason || message].filter(Boolean).join(' ') || 'no connection' };
}
