import type { AccountItem, Item, TemplateItem } from '../services/receiving/items.ts';
import { asInstant, asNumber, asObject, asText, firstText, type Json } from './lenient.ts';

export type AccountSurroundings = { businessAccountId: string; field: string | null; at: Date | null; path: string };

const TEMPLATE_FIELDS: Record<string, TemplateItem['change']> = {
  message_template_status_update: 'status',
  template_status_update: 'status',
  message_template_quality_update: 'quality',
  template_category_update: 'category',
  message_template_components_update: 'components',
};

const ACCOUNT_FIELDS = new Set([
  'account_update',
  'account_review_update',
  'account_alerts',
  'account_settings_update',
  'phone_number_quality_update',
  'phone_number_name_update',
  'business_capability_update',
  'security',
  'flows',
]);

/** A change that concerns the account rather than a conversation; null where it is none that we know. */
export function readAccountChange(value: Json, around: AccountSurroundings): Item | null {
  if (value.message_template_id !== undefined) return readTemplate(value, around);
  if (around.field !== null && ACCOUNT_FIELDS.has(around.field)) return accountItem(value, around);
  return around.field === null && typeof value.event === 'string'
    ? accountItem(value, { ...around, field: 'account_update' })
    : null;
}

/** Recognised by its keys, because Meta's own page shows a quality update under the field of a status update. */
function readTemplate(value: Json, around: AccountSurroundings): TemplateItem {
  const change = changeOf(value, around.field);
  const values: Record<TemplateItem['change'], [now: unknown, before: unknown]> = {
    status: [value.event, null],
    quality: [value.new_quality_score, value.previous_quality_score],
    category: [
      value.correct_category ?? value.new_category,
      value.previous_category ?? (value.correct_category ? value.new_category : null),
    ],
    components: [null, null],
  };
  const [now, before] = values[change];
  const rejection = asObject(value.rejection_info);
  return {
    type: 'template',
    businessAccountId: around.businessAccountId,
    change,
    metaId: asText(value.message_template_id) ?? '',
    name: asText(value.message_template_name),
    language: asText(value.message_template_language)?.replaceAll('-', '_') ?? null,
    value: asText(now),
    previousValue: asText(before),
    reason: firstText(value.reason, rejection?.reason),
    at: around.at,
  };
}

function changeOf(value: Json, field: string | null): TemplateItem['change'] {
  if (value.new_quality_score !== undefined) return 'quality';
  if (value.new_category !== undefined || value.correct_category !== undefined) return 'category';
  if (value.message_template_element !== undefined) return 'components';
  return TEMPLATE_FIELDS[field ?? ''] ?? 'status';
}

const CRITICAL = /DISABLED|DELETED|VIOLATION|RESTRICTION|OFFBOARDED|BANNED|REJECTED|CRITICAL/;
const WARNING = /FLAGGED|WARNING|DEFERRED|PIN_|DOWNGRADE|REMOVED|UNINSTALLED|ERROR_RATE|LATENCY/;

function accountItem(value: Json, around: AccountSurroundings): AccountItem {
  const alert = asObject(value.alert_info);
  const event = firstText(value.event, value.decision, alert?.alert_type);
  const words = `${event ?? ''} ${asText(alert?.alert_severity) ?? ''}`;
  return {
    type: 'account',
    businessAccountId: around.businessAccountId,
    field: around.field ?? 'account_update',
    event,
    displayPhoneNumber: asText(value.display_phone_number)?.replace(/\D/g, '') ?? null,
    summary: summaryOf(value, event, around.field, alert),
    severity: CRITICAL.test(words) ? 'critical' : WARNING.test(words) ? 'warning' : 'info',
    at: around.at,
  };
}

/** One sentence of the event's own words; numbers and names of people stay out of it. */
function summaryOf(value: Json, event: string | null, field: string | null, alert: Json | null): string {
  const detail = firstText(
    alert?.alert_description,
    asObject(value.ban_info)?.waba_ban_state,
    asObject(value.violation_info)?.violation_type,
    value.rejection_reason,
    value.message,
    value.current_limit,
  );
  const limit = asNumber(value.max_daily_conversation_per_phone);
  const what = event ?? (limit === null ? 'changed' : `limit ${limit}`);
  return `${field ?? 'account'}: ${what}${detail && detail !== 'NONE' ? ` (${detail})` : ''}`;
}

/** `value.errors[]`: Meta could not deliver something to us. */
export function channelError(value: unknown, around: AccountSurroundings): Item {
  const error = asObject(value) ?? {};
  const details = firstText(asObject(error.error_data)?.details, error.message, error.title) ?? 'unknown error';
  const code = asText(error.code);
  return {
    type: 'account',
    businessAccountId: around.businessAccountId,
    field: 'errors',
    event: code,
    displayPhoneNumber: null,
    summary: `WhatsApp reported error ${code ?? ''}: ${details}`,
    severity: 'warning',
    at: around.at ?? asInstant(error.timestamp),
  };
}
