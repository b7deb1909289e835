import type { Viewer } from '../auth.ts';
import { Refusal } from '../errors.ts';

/** One serialised answer; the cursor is the one to resume from, null where there is none to save. */
export type Frame = { payload: Buffer; cursor: string | null };

/** Where the frames of one subscription go: a socket or a response. */
export type Sink = {
  /** Writes the frames in order. The array is shared: it must not be kept. */
  send(frames: readonly Frame[]): void;
  /** True while what was written has not been taken: no more is pushed. */
  isClogged(): boolean;
  /** Settles when it may be written to again; false where it never will be. */
  drained(): Promise<boolean>;
  /** Ends the subscription with an error. */
  end(refusal: Refusal): void;
};

/** One subscription of one client to the log. */
export type Member = {
  readonly sink: Sink;
  readonly epoch: string;
  /** The last sequence that was delivered or not wanted. */
  seq: number;
  /** The rights of which it knows what they mean for what it follows. */
  knows: Viewer;
  /** Up to when it knows what time alone changed. */
  timedUpTo: Date;
  state: 'catching-up' | 'live' | 'ended';
};

/** True where there was something to send. */
export function send({ sink }: Member, frames: readonly Frame[]): boolean {
  if (frames.length > 0) sink.send(frames);
  return frames.length > 0;
}

export function endMember(member: { readonly sink: Sink; state: string }, refusal: Refusal): void {
  if (member.state === 'ended') return;
  member.state = 'ended';
  member.sink.end(refusal);
}

/** What ends a subscription; anything but a Refusal is ours to explain. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  return new Refusal('INTERNAL', 'The subscription failed on our side. Resume from your cursor.');
}
