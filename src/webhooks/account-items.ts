import type { AccountItem, Item } from '../services/receiving/items.ts';
import { errorTrouble, troubleOf } from './account-trouble.ts';
import { unknown } from './elements.ts';
import { asElements, asInstant, asObject, asText, firstText, type Json } from './lenient.ts';

export type AccountSurroundings = { businessAccountId: string; field: string | null; at: Date | null };

const ACCOUNT_FIELD = /^(account_|phone_number_)|^(business_capability_update|security|flows)$/;

/** A change that concerns the account rather than a conversation; null where it is none that we know. */
export function readAccountChange(value: Json, around: AccountSurroundings): AccountItem | null {
  const field = around.field ?? fieldByKeys(value);
  if (field === null || !ACCOUNT_FIELD.test(field)) return null;
  const alert = asObject(value.alert_info);
  const event = firstText(value.event, value.decision, alert?.alert_type);
  const digits = asText(value.display_phone_number)?.replace(/\D/g, '') || null;
  return {
    type: 'account',
    // News for partners come under the id of the business, and name the account.
    businessAccountId: asText(asObject(value.waba_info)?.waba_id) ?? around.businessAccountId,
    field,
    event,
    displayPhoneNumber: digits,
    trouble: troubleOf({ field, event, digits, value }),
    summary: summaryOf(field, event, value, alert),
    severity: severityOf(field, event, value, alert),
    approvedName:
      field === 'phone_number_name_update' && event === 'APPROVED' ? asText(value.requested_verified_name) : null,
    qualityRating: field === 'phone_number_quality_update' ? (ratings.get(event) ?? null) : null,
    at: around.at ?? asInstant(value.timestamp),
  };
}

/** These two say that the rating fell to the lowest, or rose from it to one that they do not name. */
const ratings = new Map<string | null, string>([
  ['FLAGGED', 'RED'],
  ['UNFLAGGED', 'UNKNOWN'],
]);

/** Keys that only one field has, for a change that names none. */
const telling: [key: string, field: string][] = [
  ['flow_id', 'flows'],
  ['alert_info', 'account_alerts'],
  ['requested_verified_name', 'phone_number_name_update'],
  ['current_limit', 'phone_number_quality_update'],
  ['requester', 'security'],
  ['event', 'account_update'],
  ['decision', 'account_review_update'],
  ['max_daily_conversations_per_business', 'business_capability_update'],
  ['max_daily_conversation_per_phone', 'business_capability_update'],
];

function fieldByKeys(value: Json): string | null {
  return telling.find(([key]) => asText(value[key]) !== null || asObject(value[key]) !== null)?.[1] ?? null;
}

const CRITICAL = /DELETED|VIOLATION|RESTRICTION|OFFBOARDED|DISABLE/;
const WARNING = /FLAGGED|WARNING|DEFERRED|REJECTED|PIN_|DOWNGRADE|REMOVED|UNINSTALLED|ERROR_RATE|LATENCY|AVAILABILITY/;

function severityOf(field: string, event: string | null, value: Json, alert: Json | null): AccountItem['severity'] {
  const word = firstText(alert?.alert_severity, event) ?? '';
  const isOver =
    asText(asObject(value.ban_info)?.waba_ban_state) === 'REINSTATE' || asText(value.alert_state) === 'DEACTIVATED';
  if (isOver) return 'info';
  if (word === 'CRITICAL' || CRITICAL.test(word)) return 'critical';
  if (field === 'account_review_update' && word === 'REJECTED') return 'critical';
  return WARNING.test(word) ? 'warning' : 'info';
}

/** The event's own words; numbers and names of people stay out of it. */
function summaryOf(field: string, event: string | null, value: Json, alert: Json | null): string {
  const restrictions = asElements(value.restriction_info).flatMap(
    (entry) => asText(asObject(entry)?.restriction_type) ?? [],
  );
  const details = [
    asText(alert?.alert_description),
    asText(asObject(value.ban_info)?.waba_ban_state),
    asText(asObject(value.violation_info)?.violation_type),
    ...restrictions,
    asText(value.rejection_reason),
    asText(value.message),
    firstText(value.max_daily_conversations_per_business, value.max_daily_conversation_per_phone, value.current_limit),
  ].filter((detail) => detail !== null && detail !== 'NONE');
  const note = details.length > 0 ? ` (${details.join(', ')})` : '';
  return `${field}: ${event ?? 'changed'}${note}`;
}

/** An element of `errors[]` beside the messages: something that Meta could not do for us. */
export function channelError(
  element: unknown,
  path: string,
  around: AccountSurroundings,
  displayPhoneNumber: string | null,
): Item {
  const error = asObject(element);
  if (!error) return unknown(path, around.field, 'not an error');
  const event = asText(error.code);
  const details = firstText(asObject(error.error_data)?.details, error.message, error.title) ?? 'unknown error';
  const summary = `WhatsApp reported error ${event ?? 'without a code'}: ${details}`;
  const { businessAccountId, at } = around;
  const told = { event, displayPhoneNumber, summary, severity: 'warning' as const, at };
  const trouble = errorTrouble(event, displayPhoneNumber);
  const ofNumber = { approvedName: null, qualityRating: null };
  return { type: 'account', businessAccountId, field: 'errors', ...told, ...ofNumber, trouble };
}
