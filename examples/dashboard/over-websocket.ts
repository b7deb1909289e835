import { createClient } from 'graphql-ws';
import { createSeen, readCursor, writeCursor } from './cursor-file.ts';
import { EVENTS, lineOf, type DashboardEvent } from './events.ts';
import { resuming } from './resuming.ts';

/** Live beacons and statuses in the terminal, over graphql-ws: TOKEN=… node over-websocket.ts */
const {
  URL: url = 'ws://localhost:4000/graphql',
  TOKEN: token = '',
  CURSOR_FILE: file = '.dashboard-cursor',
} = process.env;
const isSeen = createSeen();

const client = resuming(
  createClient({
    url,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: Number.POSITIVE_INFINITY,
    // 4403 is final: signed out or revoked. Everything else is tried again, with growing pauses.
    shouldRetry: (event) => (event as { code?: number }).code !== 4403,
  }),
  (data) => (data.events as DashboardEvent | null)?.cursor ?? null,
);

follow(readCursor(file));

function follow(after: string | null): void {
  client.subscribe<{ events: DashboardEvent }>(
    { query: EVENTS, variables: { after } },
    {
      next({ data, errors }) {
        if (!data || errors) return;
        const line = isSeen(data.events.eventId) ? null : lineOf(data.events);
        if (line) console.log(line);
        writeCursor(file, data.events.cursor);
      },
      error(error) {
        if (!isExpired(error)) {
          console.error(error);
          process.exitCode = 1;
          return;
        }
        // What lies between is not kept any more: a real dashboard loads its lists again here, and goes on from their asOf.
        console.log('(some events were missed; going on from now)');
        follow(null);
      },
      complete: () => {},
    },
  );
}

function isExpired(error: unknown): boolean {
  return (
    Array.isArray(error) &&
    error.some((one: { extensions?: { code?: string } }) => one.extensions?.code === 'CURSOR_EXPIRED')
  );
}
