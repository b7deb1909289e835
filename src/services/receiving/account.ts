import { createHash } from 'node:crypto';
import { newId } from '../../db/new-id.ts';
import type { AccountItem, CallItem, PreferenceItem, TemplateItem } from './items.ts';
import { messagingWindow } from '../changes.ts';
import { extendWindow } from '../window.ts';
import { timeOf, type Batch } from './batch.ts';

/** A call that the customer began opens the window; it is no message. */
export function applyCall(batch: Batch, item: CallItem, receivedAt: Date): void {
  if (!item.byCustomer) return;
  const conversation = batch.conversationOf(item);
  const at = timeOf(item.at, receivedAt);
  const window = messagingWindow(conversation);
  const extended = extendWindow(window, at, 'CUSTOMER_CALL');
  if (extended === window && at >= conversation.createdAt) return;
  batch.changes.touch(conversation);
  if (at < conversation.createdAt) conversation.createdAt = at;
  if (!conversation.lastMessageId && at > conversation.lastMessageAt) conversation.lastMessageAt = at;
  batch.changes.setWindow(conversation, extended);
}

export function applyPreference(batch: Batch, item: PreferenceItem, receivedAt: Date): void {
  const participant = batch.people.resolve(item.participant);
  batch.people.setMarketing(participant, item.marketing, timeOf(item.at, receivedAt));
}

/** Applied with the rest of the batch; kept for administrators, too. */
export function applyTemplateEvent(batch: Batch, item: TemplateItem, receivedAt: Date): void {
  batch.templateItems.push(item);
  applyAccountEvent(batch, item, receivedAt);
}

/** News of the account is kept for administrators; the same news told twice is one. */
export function applyAccountEvent(batch: Batch, item: AccountItem | TemplateItem, receivedAt: Date): void {
  const at = timeOf(item.at, receivedAt);
  const field = item.type === 'account' ? item.field : `template_${item.change}`;
  const event = item.type === 'account' ? item.event : item.value;
  const summary =
    item.type === 'account' ? item.summary : `Template ${item.name ?? item.metaId}: ${item.value ?? item.change}.`;
  const subject = item.type === 'account' ? (item.displayPhoneNumber ?? '') : item.metaId;
  const key = keyOf([item.businessAccountId, field, event, subject, at.getTime(), summary]);
  const topic = item.type === 'account' && item.trouble ? keyOf([item.trouble.key]) : null;
  const severity = item.type === 'account' ? item.severity : 'info';
  batch.accountEvents.push({ id: newId(), field, event, summary, severity, at, key, topic });
  if (item.type !== 'account') return;
  const { approvedName: displayName, qualityRating, displayPhoneNumber: digits, trouble } = item;
  if (digits && (displayName ?? qualityRating) !== null)
    batch.numberNews.push({ eventKey: key, phoneNumber: `+${digits}`, displayName, qualityRating });
  if (trouble) batch.troubles.push({ eventKey: key, item, trouble, at });
}

/** An index holds no text of any length. */
function keyOf(parts: (string | number | null)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
