import type { Context } from '../context.ts';
import { encodeStreamCursor } from '../events/cursor.ts';
import { readStreamHead } from '../db/stream-head.ts';
import { builder } from './builder.ts';

/**
 * Where the stream stands for this process, taken before the rows of a list so that a client that subscribes with it
 * loses nothing. It may lie a moment behind the database, never ahead, and costs no statement.
 */
export async function streamCursor({ hub }: Context): Promise<string> {
  return encodeStreamCursor(hub.head());
}

type StreamInfoShape = { head: string; oldest: string; retentionSeconds: number };

const StreamInfo = builder.objectRef<StreamInfoShape>('StreamInfo').implement({
  description: 'Where the event stream stands and how far back it reaches.',
  fields: (t) => ({
    head: t.expose('head', { type: 'EventCursor', description: 'The newest event: the first cursor of a new client.' }),
    oldest: t.expose('oldest', {
      type: 'EventCursor',
      description: 'The oldest cursor from which nothing is missing.',
    }),
    retentionSeconds: t.exposeInt('retentionSeconds'),
  }),
});

builder.queryField('stream', (t) =>
  t.field({
    type: StreamInfo,
    nullable: true,
    description: 'Where the event stream stands and how far back it reaches. Needs READ_EVENTS.',
    authScopes: { scope: 'READ_EVENTS' },
    resolve: async (_root, _args, { db, env }) => {
      const { epoch, seq, floorSeq } = await readStreamHead(db.pool);
      return {
        head: encodeStreamCursor({ epoch, seq }),
        oldest: encodeStreamCursor({ epoch, seq: floorSeq }),
        retentionSeconds: env.streamRetentionSeconds,
      };
    },
  }),
);

builder.queryField('serverTime', (t) =>
  t.field({
    type: 'DateTime',
    description: "The server's clock, UTC.",
    authScopes: { signedIn: true },
    resolve: () => new Date(),
  }),
);
