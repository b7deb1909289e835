import type { ConversationRow, MessageRow } from '../db/rows.ts';
import { foldLine } from './search-text.ts';

/** Order of reading: Meta's times are whole seconds, so ours are cut to them, too; then the order of arrival. */
export function secondOf(at: Date): Date {
  return new Date(Math.floor(at.getTime() / 1000) * 1000);
}

/** A message that was just stored (it has the highest sequence) becomes the last one unless a later time is there. */
export function noteLastMessages(conversation: ConversationRow, message: MessageRow): void {
  if (message.kind === 'SYSTEM') return;
  const { id, sentAt } = message;
  if (message.direction === 'INCOMING' && isNewer(sentAt, conversation.lastIncomingAt)) {
    Object.assign(conversation, { lastIncomingMessageId: id, lastIncomingAt: sentAt });
  }
  if (message.direction === 'OUTGOING' && isNewer(sentAt, conversation.lastOutgoingAt)) {
    Object.assign(conversation, { lastOutgoingMessageId: id, lastOutgoingAt: sentAt });
  }
  const isFirst = conversation.lastMessageId === null;
  if (isFirst || isNewer(sentAt, conversation.lastMessageAt)) showLastMessage(conversation, message);
}

/** Copies what the table shows of its last message into the conversation's row. */
export function showLastMessage(conversation: ConversationRow, message: MessageRow): void {
  conversation.lastMessageId = message.id;
  conversation.lastMessageAt = message.sentAt;
  conversation.lastMessagePreview = message.preview;
  conversation.lastMessageSearch = foldLine(message.preview ?? '');
  conversation.lastMessageDirection = message.direction;
  conversation.lastMessageStatus = message.status;
}

/** After a change of a stored message: its copy in the row follows. */
export function refreshLastMessage(conversation: ConversationRow, message: MessageRow): void {
  if (conversation.lastMessageId === message.id) showLastMessage(conversation, message);
}

/** Whether one is read after the other: by second, then by arrival. */
export function isReadLater(one: MessageRow, other: MessageRow): boolean {
  const seconds = secondOf(one.sentAt).getTime() - secondOf(other.sentAt).getTime();
  return seconds > 0 || (seconds === 0 && one.sequence > other.sequence);
}

function isNewer(at: Date, than: Date | null): boolean {
  return than === null || secondOf(at) >= secondOf(than);
}
