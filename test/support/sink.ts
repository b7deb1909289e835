import type { Frame, Sink } from '../../src/events/member.ts';
import type { Refusal } from '../../src/errors.ts';
import { eventually } from './events.ts';

/** Keeps what a subscription sends, in the place of a socket. */
export type RecordingSink = Sink & {
  frames: Frame[];
  refusals: Refusal[];
  /** What the first `count` frames answer. */
  data<T>(count: number): Promise<T[]>;
  clog(value: boolean): void;
};

export function createRecordingSink(): RecordingSink {
  const frames: Frame[] = [];
  const refusals: Refusal[] = [];
  let clogged = false;
  let unclog = () => {};
  return {
    frames,
    refusals,
    send: (more) => void frames.push(...more),
    isClogged: () => clogged,
    drained: () => new Promise((resolve) => (unclog = () => resolve(true))),
    end: (refusal) => void refusals.push(refusal),
    clog(value) {
      clogged = value;
      if (!value) unclog();
    },
    async data<T>(count: number) {
      await eventually(async () => frames.length >= count);
      return frames.slice(0, count).map(({ payload }) => (JSON.parse(payload.toString()) as { data: T }).data);
    },
  };
}
