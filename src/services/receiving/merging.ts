import type { ConversationRow, MessageRow } from '../../db/rows.ts';
import { lockConversationsOf } from '../../db/statements/conversations.ts';
import { addSendJob } from '../../db/statements/jobs.ts';
import {
  findNewestMessages,
  giveConversation,
  joinConversations,
  releaseParticipantIds,
} from '../../db/statements/merging.ts';
import { countUnread } from '../../db/statements/unread.ts';
import type { Transaction } from '../../db/transaction.ts';
import { Changes, messagingWindow, type Rules } from '../changes.ts';
import { isReadLater, showLastMessage } from '../last-messages.ts';
import { refreshRequestCodes } from '../requests/codes.ts';
import type { Merge } from './introductions.ts';
import type { People } from './people.ts';

/** Two participants become one, and so do their conversations with the same business number. Nothing gets lost. */
export async function mergeParticipants(tx: Transaction, people: People, merge: Merge, rules: Rules): Promise<void> {
  const { kept, gone } = merge;
  if (!people.isNew(gone.id)) {
    const conversations = await lockConversationsOf(tx, [kept.id, gone.id]);
    await releaseParticipantIds(tx, gone.id, kept.id);
    const changes = new Changes(tx.now, rules);
    changes.hold(conversations);
    for (const conversation of conversations.filter((row) => row.participantId === gone.id)) {
      const twin = conversations.find(
        (row) => row.participantId === kept.id && row.businessNumberId === conversation.businessNumberId,
      );
      if (twin) await mergeConversations(tx, changes, twin, conversation);
      else await hand(tx, changes, conversation, kept.id);
    }
    await changes.finish(tx);
  }
  people.absorb(kept, gone);
}

async function hand(
  tx: Transaction,
  changes: Changes,
  conversation: ConversationRow,
  participantId: string,
): Promise<void> {
  await giveConversation(tx, conversation.id, participantId);
  tellChanged(changes, conversation, ['participant']);
}

async function mergeConversations(
  tx: Transaction,
  changes: Changes,
  kept: ConversationRow,
  gone: ConversationRow,
): Promise<void> {
  const { lastSequence, readUpTo } = await joinConversations(tx, kept.id, gone.id);
  await refreshRequestCodes(tx, [kept.id]);
  changes.touch(kept);
  kept.lastSequence = lastSequence;
  kept.readUpToSequence = readUpTo.sequence;
  kept.readUpToId = readUpTo.messageId;
  takeOver(kept, gone);
  showNewest(kept, await findNewestMessages(tx, kept.id));
  changes.setUnread(kept, await countUnread(tx, kept.id, kept.readUpToSequence));
  changes.setWindow(kept, laterWindow(kept, gone));
  // The messages now stand between each other: whether the last of them was answered must be looked at anew.
  changes.recheckBeacon(kept, kept.beaconOn ? 'OPERATOR_REPLIED' : 'CUSTOMER_MESSAGE');
  changes.tell(gone, {
    type: 'CONVERSATION_CHANGED',
    occurredAt: tx.now,
    data: { changedFields: ['mergedInto'], mergedIntoId: kept.id },
  });
  tellChanged(changes, kept, ['participant', 'messages', 'requests']);
  addSendJob(tx, kept.id);
}

function takeOver(kept: ConversationRow, gone: ConversationRow): void {
  if (gone.createdAt < kept.createdAt) kept.createdAt = gone.createdAt;
  const isRepliedLater = gone.lastRepliedById !== null && (gone.lastOutgoingAt ?? 0) > (kept.lastOutgoingAt ?? 0);
  if (isRepliedLater || kept.lastRepliedById === null) kept.lastRepliedById = gone.lastRepliedById;
  if ((gone.sendPausedUntil ?? 0) > (kept.sendPausedUntil ?? 0)) kept.sendPausedUntil = gone.sendPausedUntil;
  kept.noReplyNeededById ??= gone.noReplyNeededById;
  kept.noReplyNeededAt ??= gone.noReplyNeededAt;
}

function showNewest(kept: ConversationRow, newest: MessageRow[]): void {
  for (const message of newest) {
    const isIncoming = message.direction === 'INCOMING';
    Object.assign(
      kept,
      isIncoming
        ? { lastIncomingMessageId: message.id, lastIncomingAt: message.sentAt }
        : { lastOutgoingMessageId: message.id, lastOutgoingAt: message.sentAt },
    );
  }
  const last = newest.reduce<MessageRow | null>((a, b) => (a === null || isReadLater(b, a) ? b : a), null);
  if (last) showLastMessage(kept, last);
}

function laterWindow(kept: ConversationRow, gone: ConversationRow) {
  return messagingWindow((gone.windowExpiresAt ?? 0) > (kept.windowExpiresAt ?? 0) ? gone : kept);
}

function tellChanged(changes: Changes, conversation: ConversationRow, changedFields: string[]): void {
  changes.tell(conversation, { type: 'CONVERSATION_CHANGED', occurredAt: changes.now, data: { changedFields } });
}
