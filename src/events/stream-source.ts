import type { Viewer } from '../auth.ts';
import type { Context } from '../context.ts';
import type { LoggedEvent } from '../db/event-log.ts';

/**
 * How a subscription field says what it streams (`extensions.stream`). The hub does the rest: resuming, order,
 * back-pressure, one execution for all who ask the same.
 */
export type StreamSource = {
  /** Checks rights and arguments once; throws a Refusal. */
  open(args: Record<string, unknown>, context: Context): StreamFilter | Promise<StreamFilter>;
};

export type StreamFilter = {
  /** Present rights included: asked for every event. */
  wants(event: LoggedEvent, viewer: Viewer): boolean;
  /** What the field resolves; null where there is nothing to send. The event itself where it is not given. */
  rootOf?(event: LoggedEvent, context: Context): Promise<unknown>;
  /** Sends StreamProgress at once and at least every five minutes. */
  progress?: boolean;
};
