import type { Database } from '../db/database.ts';
import { findWindowsToAnnounce } from '../db/statements/windows.ts';
import { lockConversations } from '../db/statements/conversations.ts';
import { transaction } from '../db/transaction.ts';
import { Changes, messagingWindow, type Rules } from './changes.ts';

/** Tells of windows that are about to close or have closed since the last look; gives back how many changed. */
export async function announceWindows(db: Database, rules: Rules): Promise<number> {
  return transaction(db, async (tx) => {
    const ids = await findWindowsToAnnounce(tx, rules.windowWarningMinutes);
    if (ids.length === 0) return 0;
    const conversations = await lockConversations(tx, ids);
    const changes = new Changes(tx.now, rules);
    changes.hold(conversations);
    for (const conversation of conversations)
      changes.setWindow(changes.touch(conversation), messagingWindow(conversation));
    await changes.finish(tx);
    return changes.events.length;
  });
}
