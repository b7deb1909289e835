import { newId } from '../db/new-id.ts';
import type { ConversationRow } from '../db/rows.ts';

/** The row of a conversation in which nothing has happened yet; its number comes from the database. */
export function newConversation(begun: {
  businessNumberId: string;
  participantId: string;
  participantSearch: string;
  at: Date;
  now: Date;
}): ConversationRow {
  return {
    id: newId(),
    businessNumberId: begun.businessNumberId,
    participantId: begun.participantId,
    participantSearch: begun.participantSearch,
    createdAt: begun.at,
    lastMessageAt: begun.at,
    beaconChangedAt: begun.now,
    lastSequence: 0,
    lastMessageId: null,
    lastMessagePreview: null,
    lastMessageSearch: '',
    lastMessageDirection: null,
    lastMessageStatus: null,
    lastIncomingMessageId: null,
    lastIncomingAt: null,
    lastOutgoingMessageId: null,
    lastOutgoingAt: null,
    lastRepliedById: null,
    unreadCount: 0,
    readUpToSequence: 0,
    readUpToId: null,
    beaconOn: false,
    beaconSince: null,
    beaconTriggerId: null,
    beaconReason: null,
    noReplyNeeded: false,
    noReplyNeededById: null,
    noReplyNeededAt: null,
    windowOpenedAt: null,
    windowOpenedBy: null,
    windowExpiresAt: null,
    windowAnnounced: 'NEVER_OPENED',
    sendPausedUntil: null,
    version: 1,
  };
}
