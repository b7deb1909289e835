import type { Viewer } from '../auth.ts';
import { endMember, refusalOf, type Sink } from './member.ts';

/** What a transport holds of a subscription that it opened. */
export type Subscription = {
  close(): void;
  /** The viewer's rights changed: go on with the present ones, or end with the refusal. */
  reopen(viewer: Viewer): Promise<void>;
};

type Followed = { readonly sink: Sink; state: string };

export function createSubscription<Member extends Followed>(options: {
  /** It has joined already. */
  member: Member;
  leave(member: Member): void;
  /** The same one, as it stands before it joins. */
  anew(member: Member): Member;
  /** Throws a Refusal where the viewer may not follow any more. */
  join(member: Member, viewer: Viewer): Promise<void>;
}): Subscription {
  let { member } = options;
  return {
    close() {
      member.state = 'ended';
      options.leave(member);
    },
    async reopen(viewer) {
      if (member.state === 'ended') return;
      options.leave(member);
      const moved = options.anew(member);
      member.state = 'ended';
      member = moved;
      try {
        await options.join(moved, viewer);
      } catch (error) {
        endMember(moved, refusalOf(error));
      }
    },
  };
}
