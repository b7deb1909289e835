import type { Viewer } from '../auth.ts';
import type { Context } from '../context.ts';
import type { LoggedEvent } from '../db/event-log.ts';
import type { Refusal } from '../errors.ts';
import { endMember } from './member.ts';
import type { Render } from './renderer.ts';
import { Groups } from './groups.ts';
import { SnapshotGroup, type SnapshotMember } from './snapshot-group.ts';
import type { SnapshotStream } from './stream-source.ts';

/** Subscriptions to the present value of something, which have no cursor. */
export type SnapshotStreams = {
  join(member: SnapshotMember, place: { key: string; stream: SnapshotStream; render: Render; viewer: Viewer }): void;
  leave: (member: SnapshotMember) => void;
  end: (member: SnapshotMember, refusal: Refusal) => void;
  push(events: readonly LoggedEvent[]): void;
  /** Continuity ended: everything may have changed. */
  touchAll(): void;
  members(): Iterable<SnapshotMember>;
};

export function createSnapshotStreams(options: {
  createContext: (viewer: Viewer, requestId: string) => Context;
}): SnapshotStreams {
  const { createContext } = options;
  const groups = new Groups<SnapshotMember, SnapshotGroup>();

  return {
    join: (member, { key, stream, render, viewer }) =>
      groups.join(member, key, () => openGroup(stream, render, viewer)).welcome(),
    leave: (member) => groups.leave(member),
    end,
    push(events) {
      for (const group of groups.all()) {
        if (events.some((event) => group.stream.concerns?.(event))) group.touch();
      }
    },
    touchAll() {
      for (const group of groups.all()) group.touch();
    },
    members: () => groups.members(),
  };

  function end(member: SnapshotMember, refusal: Refusal): void {
    endMember(member, refusal);
    groups.leave(member);
  }

  function openGroup(stream: SnapshotStream, render: Render, viewer: Viewer): SnapshotGroup {
    const group: SnapshotGroup = new SnapshotGroup({
      stream,
      read: async () => {
        const context = createContext(viewer, 'snapshot');
        return (await render(await stream.read(context), context)).payload;
      },
      onRefusal: (refusal) => {
        for (const member of group.members) end(member, refusal);
      },
    });
    return group;
  }
}
