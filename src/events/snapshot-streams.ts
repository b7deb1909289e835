import type { Viewer } from '../auth.ts';
import type { Context } from '../context.ts';
import type { LoggedEvent } from '../db/event-log.ts';
import type { Refusal } from '../errors.ts';
import type { Render } from './renderer.ts';
import { SnapshotGroup, type SnapshotMember } from './snapshot-group.ts';
import type { SnapshotStream } from './stream-source.ts';

/** Subscriptions to the present value of something, which have no cursor. */
export type SnapshotStreams = {
  join(member: SnapshotMember, place: { key: string; stream: SnapshotStream; render: Render; viewer: Viewer }): void;
  leave(member: SnapshotMember): void;
  push(events: readonly LoggedEvent[]): void;
  /** Continuity ended: everything may have changed. */
  touchAll(): void;
  members(): Iterable<SnapshotMember>;
};

export function createSnapshotStreams(options: {
  createContext: (viewer: Viewer, requestId: string) => Context;
}): SnapshotStreams {
  const { createContext } = options;
  const groups = new Map<string, SnapshotGroup>();
  const places = new Map<SnapshotMember, { key: string; group: SnapshotGroup }>();

  return {
    join(member, { key, stream, render, viewer }) {
      const group = groups.get(key) ?? openGroup(key, stream, render, viewer);
      places.set(member, { key, group });
      group.add(member);
    },
    leave(member) {
      const place = places.get(member);
      if (!place) return;
      places.delete(member);
      place.group.members.delete(member);
      if (place.group.members.size > 0) return;
      place.group.close();
      groups.delete(place.key);
    },
    push(events) {
      for (const group of groups.values()) {
        if (events.some((event) => group.stream.concerns?.(event))) group.touch();
      }
    },
    touchAll() {
      for (const group of groups.values()) group.touch();
    },
    members: () => places.keys(),
  };

  function openGroup(key: string, stream: SnapshotStream, render: Render, viewer: Viewer): SnapshotGroup {
    const group: SnapshotGroup = new SnapshotGroup({
      stream,
      read: async () => {
        const context = createContext(viewer, 'snapshot');
        return (await render(await stream.read(context), context)).payload;
      },
      onRefusal: (refusal) => {
        for (const member of group.members) endSnapshot(member, refusal);
      },
    });
    groups.set(key, group);
    return group;
  }
}

export function endSnapshot(member: SnapshotMember, refusal: Refusal): void {
  if (member.state === 'ended') return;
  member.state = 'ended';
  member.sink.end(refusal);
}
