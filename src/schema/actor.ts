import { actorOf, type Viewer } from '../auth.ts';
import type { Actor } from '../services/actor.ts';

/** The viewer as the services know who acts. */
export function actorFrom(viewer: Viewer): Actor {
  return {
    key: actorOf(viewer),
    operatorId: viewer.kind === 'operator' ? viewer.operatorId : null,
    tokenId: viewer.kind === 'token' ? viewer.tokenId : null,
    address: viewer.address,
  };
}
