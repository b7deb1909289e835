import type { Viewer } from '../auth.ts';
import type { Context } from '../context.ts';
import type { LoggedEvent } from '../db/event-log.ts';
import type { StreamPosition } from './cursor.ts';

/**
 * How a subscription field says what it streams (`extensions.stream`). The hub does the rest: resuming, order,
 * back-pressure, one execution for all who ask the same with the same rights.
 */
export type StreamSource<Root = unknown> = LogSource<Root> | SnapshotSource<Root>;

/** Resumable: each payload comes from one event of the log and carries its cursor. */
export type LogSource<Root = unknown> = {
  kind: 'log';
  /** Checks rights and arguments, again whenever the viewer's rights change; throws a Refusal. */
  open(args: Record<string, unknown>, context: Context): LogStream<Root> | Promise<LogStream<Root>>;
};

/** Not resumable: the present value at once, then whenever it changed, at most once per interval. */
export type SnapshotSource<Root = unknown> = {
  kind: 'snapshot';
  /** Checks rights and arguments, again whenever the viewer's rights change; throws a Refusal. */
  open(args: Record<string, unknown>, context: Context): SnapshotStream<Root> | Promise<SnapshotStream<Root>>;
};

/** Shared by everyone who asks the same; those who catch up read older events at the same time. */
export type LogStream<Root = unknown> = {
  /** Belongs to what is asked, where arguments and rights do not say it all. */
  key?: string;
  /** Asked for every event, with present rights. */
  wants(event: LoggedEvent, viewer: Viewer): boolean;
  /**
   * What the field resolves; null where there is nothing to send, the event itself where it is not given. Events that
   * come together are asked for at once with one context, so that a loader reads for all of them.
   */
  rootOf?(event: LoggedEvent, context: Context, isLive: boolean): Promise<Root | null>;
  /** True where those who catch up may be shown something else than the live ones were. */
  hasMemory?: boolean;
  /** What a change of rights changed for one who had those of `before`, at this position; sent before anything else. */
  rootsOnReopen?(before: Viewer, context: Context, at: StreamPosition): Promise<Root[]>;
  /** Sends StreamProgress at once and at intervals. */
  hasProgress?: boolean;
  /** What no event tells: a list by day changes at midnight. */
  byTime?: TimedChanges<Root>;
};

export type TimedChanges<Root = unknown> = {
  /** The first instant after this one at which time alone changes something; null for never. */
  nextAt(after: Date): Date | null;
  /** What time alone changed between the two instants, one payload each; `at` is the position that they carry. */
  rootsBetween(span: { from: Date; to: Date; at: StreamPosition }, context: Context): Promise<Root[]>;
};

export type SnapshotStream<Root = unknown> = {
  /** Belongs to what is asked, where arguments and rights do not say it all. */
  key?: string;
  /** The present value, read anew each time; a Refusal ends the subscriptions. */
  read(context: Context): Promise<Root>;
  /** True for the events that may change it. */
  concerns?(event: LoggedEvent): boolean;
  /** Other causes of change, such as presence; gives back what stops it. */
  watch?(changed: () => void): () => void;
  /** The first instant after this one at which time alone changes it; null for never. */
  nextAt?(after: Date): Date | null;
  /** The least time between two payloads to one subscriber; a second where it is not given. */
  intervalMs?: number;
};
