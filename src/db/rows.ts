import type { Columns } from './columns.ts';
import type {
  BeaconReason,
  MessageDirection,
  MessageKind,
  MessageOrigin,
  MessageStatus,
  SendState,
  WindowOpener,
  WindowState,
} from '../generated/prisma/enums.ts';
import type { Content } from './content.ts';

/** What a change of a conversation reads and writes of its row, and nothing else. */
export type ConversationRow = {
  id: string;
  businessNumberId: string;
  participantId: string;
  createdAt: Date;
  lastSequence: number;
  lastMessageId: string | null;
  lastMessageAt: Date;
  lastMessagePreview: string | null;
  lastMessageSearch: string;
  lastMessageDirection: MessageDirection | null;
  lastMessageStatus: MessageStatus | null;
  lastIncomingMessageId: string | null;
  lastIncomingAt: Date | null;
  lastOutgoingMessageId: string | null;
  lastOutgoingAt: Date | null;
  lastRepliedById: string | null;
  unreadCount: number;
  readUpToSequence: number;
  readUpToId: string | null;
  beaconOn: boolean;
  beaconSince: Date | null;
  beaconTriggerId: string | null;
  beaconReason: BeaconReason | null;
  beaconChangedAt: Date;
  noReplyNeeded: boolean;
  noReplyNeededById: string | null;
  noReplyNeededAt: Date | null;
  windowOpenedAt: Date | null;
  windowOpenedBy: WindowOpener | null;
  windowExpiresAt: Date | null;
  windowAnnounced: WindowState;
  participantSearch: string;
  sendPausedUntil: Date | null;
  version: number;
};

export const conversationColumns = {
  id: ['id', 'uuid'],
  businessNumberId: ['business_number_id', 'uuid'],
  participantId: ['participant_id', 'uuid'],
  createdAt: ['created_at', 'timestamptz'],
  lastSequence: ['last_sequence', 'integer'],
  lastMessageId: ['last_message_id', 'uuid'],
  lastMessageAt: ['last_message_at', 'timestamptz'],
  lastMessagePreview: ['last_message_preview', 'text'],
  lastMessageSearch: ['last_message_search', 'text'],
  lastMessageDirection: ['last_message_direction', '"MessageDirection"'],
  lastMessageStatus: ['last_message_status', '"MessageStatus"'],
  lastIncomingMessageId: ['last_incoming_message_id', 'uuid'],
  lastIncomingAt: ['last_incoming_at', 'timestamptz'],
  lastOutgoingMessageId: ['last_outgoing_message_id', 'uuid'],
  lastOutgoingAt: ['last_outgoing_at', 'timestamptz'],
  lastRepliedById: ['last_replied_by_id', 'uuid'],
  unreadCount: ['unread_count', 'integer'],
  readUpToSequence: ['read_up_to_sequence', 'integer'],
  readUpToId: ['read_up_to_id', 'uuid'],
  beaconOn: ['beacon_on', 'boolean'],
  beaconSince: ['beacon_since', 'timestamptz'],
  beaconTriggerId: ['beacon_trigger_id', 'uuid'],
  beaconReason: ['beacon_reason', '"BeaconReason"'],
  beaconChangedAt: ['beacon_changed_at', 'timestamptz'],
  noReplyNeeded: ['no_reply_needed', 'boolean'],
  noReplyNeededById: ['no_reply_needed_by_id', 'uuid'],
  noReplyNeededAt: ['no_reply_needed_at', 'timestamptz'],
  windowOpenedAt: ['window_opened_at', 'timestamptz'],
  windowOpenedBy: ['window_opened_by', '"WindowOpener"'],
  windowExpiresAt: ['window_expires_at', 'timestamptz'],
  windowAnnounced: ['window_announced', '"WindowState"'],
  participantSearch: ['participant_search', 'text'],
  sendPausedUntil: ['send_paused_until', 'timestamptz'],
  version: ['version', 'integer'],
} as const satisfies Columns & Record<keyof ConversationRow, unknown>;

/** What rules read and write of a message that is already stored. */
export type MessageRow = {
  id: string;
  conversationId: string;
  sequence: number;
  direction: MessageDirection;
  origin: MessageOrigin;
  kind: MessageKind;
  content: Content;
  preview: string | null;
  searchText: string;
  providerId: string | null;
  sentAt: Date;
  sentById: string | null;
  status: MessageStatus | null;
  failureCode: number | null;
  failureTitle: string | null;
  failureDetail: string | null;
  failureRetryable: boolean | null;
  outcomeUnknown: boolean;
  editedAt: Date | null;
  editedBy: string | null;
  withdrawnAt: Date | null;
  discardedAt: Date | null;
  waivedAt: Date | null;
  imported: boolean;
  placeholder: boolean;
  cleaned: boolean;
  quotedProviderId: string | null;
  quotedId: string | null;
  forwarded: boolean;
  referral: unknown;
  sendState: SendState | null;
  acceptedAt: Date | null;
  retries: number;
  /** W3C traceparent of what made it; null where nothing was recorded. */
  traceParent: string | null;
};

export const messageColumns = {
  id: ['id', 'uuid'],
  conversationId: ['conversation_id', 'uuid'],
  sequence: ['sequence', 'integer'],
  direction: ['direction', '"MessageDirection"'],
  origin: ['origin', '"MessageOrigin"'],
  kind: ['kind', '"MessageKind"'],
  content: ['content', 'jsonb'],
  preview: ['preview', 'text'],
  searchText: ['search_text', 'text'],
  providerId: ['provider_id', 'text'],
  sentAt: ['sent_at', 'timestamptz'],
  sentById: ['sent_by_id', 'uuid'],
  status: ['status', '"MessageStatus"'],
  failureCode: ['failure_code', 'integer'],
  failureTitle: ['failure_title', 'text'],
  failureDetail: ['failure_detail', 'text'],
  failureRetryable: ['failure_retryable', 'boolean'],
  outcomeUnknown: ['outcome_unknown', 'boolean'],
  editedAt: ['edited_at', 'timestamptz'],
  editedBy: ['edited_by', 'text'],
  withdrawnAt: ['withdrawn_at', 'timestamptz'],
  discardedAt: ['discarded_at', 'timestamptz'],
  waivedAt: ['waived_at', 'timestamptz'],
  imported: ['imported', 'boolean'],
  placeholder: ['placeholder', 'boolean'],
  cleaned: ['cleaned', 'boolean'],
  quotedProviderId: ['quoted_provider_id', 'text'],
  quotedId: ['quoted_id', 'uuid'],
  forwarded: ['forwarded', 'boolean'],
  referral: ['referral', 'jsonb'],
  sendState: ['send_state', '"SendState"'],
  acceptedAt: ['accepted_at', 'timestamptz'],
  retries: ['retries', 'integer'],
  traceParent: ['trace_parent', 'text'],
} as const satisfies Columns & Record<keyof MessageRow, unknown>;

/** A message about to be stored. */
export type NewMessage = MessageRow & {
  sentSecond: Date;
  receivedAt: Date;
  sentByTokenId: string | null;
  senderName: string | null;
  clientKey: string | null;
  templateId: string | null;
  payload: unknown;
};

/** What PostgreSQL fills in where a new message says nothing; everything else is null. */
export const messageDefaults: Partial<NewMessage> = {
  outcomeUnknown: false,
  imported: false,
  placeholder: false,
  cleaned: false,
  forwarded: false,
  retries: 0,
};

export const newMessageColumns = {
  ...messageColumns,
  sentSecond: ['sent_second', 'timestamptz'],
  receivedAt: ['received_at', 'timestamptz'],
  sentByTokenId: ['sent_by_token_id', 'uuid'],
  senderName: ['sender_name', 'text'],
  clientKey: ['client_key', 'text'],
  templateId: ['template_id', 'uuid'],
  payload: ['payload', 'jsonb'],
} as const satisfies Columns & Record<keyof NewMessage, unknown>;

export type ParticipantRow = {
  id: string;
  waId: string | null;
  userId: string | null;
  groupId: string | null;
  phoneNumber: string | null;
  comparisonKey: string | null;
  profileName: string | null;
  previousPhoneNumbers: string[];
  marketingStoppedAt: Date | null;
  marketingChangedAt: Date | null;
};

/** With what a search for the customer looks at. */
export type WrittenParticipant = ParticipantRow & { searchText: string };

/** With PostgreSQL's own version of the row: a writer that had read an older one must not write it back. */
export type LoadedParticipant = ParticipantRow & { rowVersion: string | null };

export const participantColumns = {
  id: ['id', 'uuid'],
  waId: ['wa_id', 'text'],
  userId: ['user_id', 'text'],
  groupId: ['group_id', 'text'],
  phoneNumber: ['phone_number', 'text'],
  comparisonKey: ['comparison_key', 'text'],
  profileName: ['profile_name', 'text'],
  previousPhoneNumbers: ['previous_phone_numbers', 'text[]'],
  marketingStoppedAt: ['marketing_stopped_at', 'timestamptz'],
  marketingChangedAt: ['marketing_changed_at', 'timestamptz'],
} as const satisfies Columns & Record<keyof ParticipantRow, unknown>;

export const writtenParticipantColumns = {
  ...participantColumns,
  searchText: ['search_text', 'text'],
} as const satisfies Columns & Record<keyof WrittenParticipant, unknown>;
