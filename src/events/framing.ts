import type { Viewer } from '../auth.ts';
import type { Context } from '../context.ts';
import type { LoggedEvent } from '../db/event-log.ts';
import { isAway } from '../db/availability.ts';
import { Refusal } from '../errors.ts';
import { encodeStreamCursor, type StreamPosition } from './cursor.ts';
import type { Frame } from './member.ts';
import type { Render } from './renderer.ts';
import type { LogStream } from './stream-source.ts';

/** How a group turns what happens into frames. */
export type Framing = {
  /** Null where nobody wants the event. */
  ofEvent(event: LoggedEvent, context: ContextOf, isLive: boolean): Promise<Frame | null>;
  ofProgress(at: StreamPosition): Promise<Frame>;
  ofTime(span: { from: Date; to: Date; at: StreamPosition }): Promise<Frame[]>;
  ofReopening(before: Viewer, at: StreamPosition): Promise<Frame[]>;
  /** Settles when the rights are known that hold after this event. */
  ofAccess(event: LoggedEvent): Promise<void>;
  /** Nobody asks any more: it waits for no database. */
  close(): void;
};

/** Tells a quiet client how far the stream has come; what `ofProgress` makes a frame of. */
export type Progress = { type: 'STREAM_PROGRESS'; seq: number; epoch: string; occurredAt: string; recordedAt: string };

/** One context for all events that come together, so that each noun is loaded once for them. */
export type ContextOf = () => Context;

const RETRY_MS = 250;
const MAX_RETRIES = 240;

/**
 * Turns events into frames. While the database is away it waits. One event that fails does not end the stream: its
 * frame carries the errors and no cursor. A Refusal does.
 */
export function createFraming(options: {
  stream: LogStream;
  render: Render;
  viewer: Viewer;
  createContext: (viewer: Viewer, requestId: string) => Context;
  /** The payload of an event that could not be read. */
  failed: (error: unknown) => Buffer;
  lookAtAccess: (after: LoggedEvent) => Promise<void>;
}): Framing {
  const { stream, render, viewer, createContext, failed } = options;
  const freshContext = () => createContext(viewer, 'event');
  let isClosed = false;

  return {
    async ofEvent(event, contextOf, isLive) {
      if (event.type === 'ACCESS_CHANGED' || !stream.wants(event, viewer)) return null;
      return patiently(contextOf, async (context) => {
        const root = stream.rootOf ? await stream.rootOf(event, context, isLive) : event;
        return root === null || root === undefined ? null : frame(root, context, event);
      });
    },
    async ofProgress(at) {
      const now = new Date().toISOString();
      const root: Progress = { type: 'STREAM_PROGRESS', ...at, occurredAt: now, recordedAt: now };
      return frame(root, freshContext(), at);
    },
    ofTime: (span) => framesOf(span.at, async (context) => (await stream.byTime?.rootsBetween(span, context)) ?? []),
    ofReopening: (before, at) =>
      framesOf(at, async (context) => (await stream.rootsOnReopen?.(before, context, at)) ?? []),
    ofAccess: options.lookAtAccess,
    close: () => void (isClosed = true),
  };

  async function framesOf(at: StreamPosition, read: (context: Context) => Promise<unknown[]>): Promise<Frame[]> {
    const frames = await patiently(freshContext, async (context) =>
      Promise.all((await read(context)).map((root) => frame(root, context, at))),
    );
    return Array.isArray(frames) ? frames : [frames];
  }

  async function frame(root: unknown, context: Context, at: StreamPosition): Promise<Frame> {
    const { payload, isWhole } = await render(root, context);
    return { payload, cursor: isWhole ? encodeStreamCursor(at) : null };
  }

  async function patiently<T>(contextOf: () => Context, work: (context: Context) => Promise<T>): Promise<T | Frame> {
    for (let attempt = 0; ; attempt++) {
      try {
        // What a loader failed to read it would fail to read again.
        return await work(attempt === 0 ? contextOf() : freshContext());
      } catch (error) {
        if (error instanceof Refusal) throw error;
        if (isClosed || !isAway(error) || attempt === MAX_RETRIES) return { payload: failed(error), cursor: null };
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }
}
