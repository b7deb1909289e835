import { v7 as uuid } from 'uuid';
import { joinParticipantSearch, joinRequestCodes, foldLine } from '../../src/services/search-text.ts';
import type { TestServer } from './server.ts';

/** A conversation as a test wants it to stand in the database, with all that a list looks at. */
export type StoredConversation = {
  id: string;
  number: number;
  businessNumberId: string;
  lastRepliedById: string | null;
  name: string;
  phoneNumber: string | null;
  /** Texts of messages, oldest first; the last one is the last message. */
  messages: string[];
  lastMessageAt: Date;
  createdAt: Date;
  lastMessageStatus: 'PENDING' | 'SENT' | 'DELIVERED' | 'READ' | 'FAILED' | null;
  beaconSince: Date | null;
  noReplyNeeded: boolean;
  unreadCount: number;
  windowExpiresAt: Date | null;
  requestCodes: string[];
  isMerged: boolean;
};

/** One that differs from an empty one in what is told. */
export function storedConversation(told: Partial<StoredConversation>): StoredConversation {
  return {
    id: uuid(),
    number: 1,
    businessNumberId: '',
    lastRepliedById: null,
    name: '',
    phoneNumber: null,
    messages: [],
    lastMessageAt: new Date(),
    createdAt: new Date(),
    lastMessageStatus: null,
    beaconSince: null,
    noReplyNeeded: false,
    unreadCount: 0,
    windowExpiresAt: null,
    requestCodes: [],
    isMerged: false,
    ...told,
  };
}

/** Writes many at once: building them from webhooks would take minutes and could not reach every state. */
export async function storeConversations(server: TestServer, rows: readonly StoredConversation[]): Promise<void> {
  const stored = rows.map((row) => ({ ...row, participantId: uuid(), texts: messagesOf(row) }));
  await server.sql(
    `INSERT INTO participant (id, user_id, wa_id, comparison_key, phone_number, profile_name, search_text)
     SELECT id, user_id, digits, digits, phone, name, search FROM json_to_recordset($1)
       AS r (id uuid, user_id text, digits text, phone text, name text, search text)`,
    [
      JSON.stringify(
        stored.map((row) => ({
          id: row.participantId,
          user_id: row.id,
          digits: row.phoneNumber?.slice(1) ?? null,
          phone: row.phoneNumber,
          name: row.name,
          search: joinParticipantSearch(row.name, row.phoneNumber ?? ''),
        })),
      ),
    ],
  );
  await server.sql(
    `INSERT INTO conversation (id, number, business_number_id, participant_id, created_at, last_message_at, last_sequence,
       last_message_id, last_message_preview, last_message_search, last_message_direction, last_message_status,
       last_replied_by_id, unread_count, beacon_on, beacon_since, beacon_changed_at, no_reply_needed, window_expires_at,
       participant_search, request_codes, request_count, merged_into_id)
     SELECT id, number, business, participant, created, last_at, last_sequence, last_id, preview,
         preview_search, direction::"MessageDirection", status::"MessageStatus", replied_by, unread, since IS NOT NULL,
         since, created, waived, window_end, participant_search, codes, code_count, merged
       FROM json_to_recordset($1) AS r (id uuid, number integer, business uuid, participant uuid, created timestamptz,
         last_at timestamptz, last_sequence integer, last_id uuid, preview text, preview_search text, direction text,
         status text, replied_by uuid, unread integer, since timestamptz, waived boolean, window_end timestamptz,
         participant_search text, codes text, code_count integer, merged uuid)`,
    [JSON.stringify(stored.map(conversationRow))],
  );
  await server.sql(
    `INSERT INTO message (id, conversation_id, sequence, direction, origin, kind, content, preview, search_text, sent_at,
       sent_second, status)
     SELECT id, conversation, sequence, direction::"MessageDirection", origin::"MessageOrigin", 'TEXT',
       json_build_object('type', 'text', 'text', preview), preview, search, at, date_trunc('second', at),
       status::"MessageStatus"
     FROM json_to_recordset($1) AS r (id uuid, conversation uuid, sequence integer, direction text, origin text,
       preview text, search text, at timestamptz, status text)`,
    [JSON.stringify(stored.flatMap((row) => row.texts))],
  );
}

type Texts = { texts: ReturnType<typeof messagesOf>; participantId: string };

function messagesOf(row: StoredConversation) {
  return row.messages.map((text, index) => {
    const isOutgoing = index === row.messages.length - 1 && row.lastMessageStatus !== null;
    const ageMs = (row.messages.length - 1 - index) * 1_000;
    return {
      id: uuid(),
      conversation: row.id,
      sequence: index + 1,
      direction: isOutgoing ? 'OUTGOING' : 'INCOMING',
      origin: isOutgoing ? 'OPERATOR' : 'CUSTOMER',
      preview: text,
      search: foldLine(text),
      at: new Date(row.lastMessageAt.getTime() - ageMs),
      status: isOutgoing ? row.lastMessageStatus : null,
    };
  });
}

function conversationRow(row: StoredConversation & Texts) {
  const last = row.texts.at(-1);
  return {
    id: row.id,
    number: row.number,
    business: row.businessNumberId,
    participant: row.participantId,
    created: row.createdAt,
    last_at: row.lastMessageAt,
    last_sequence: row.texts.length,
    last_id: last?.id ?? null,
    preview: last?.preview ?? null,
    preview_search: last?.search ?? '',
    direction: last?.direction ?? null,
    status: last?.status ?? null,
    replied_by: row.lastRepliedById,
    unread: row.unreadCount,
    since: row.beaconSince,
    waived: row.noReplyNeeded,
    window_end: row.windowExpiresAt,
    participant_search: joinParticipantSearch(row.name, row.phoneNumber ?? ''),
    codes: joinRequestCodes(row.requestCodes),
    code_count: row.requestCodes.length,
    merged: row.isMerged ? row.id : null,
  };
}

/** The same numbers for the same seed, 0 to below 1. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
