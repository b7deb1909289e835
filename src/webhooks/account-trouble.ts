import type { Trouble } from '../services/receiving/items.ts';
import { asElements, asInstant, asObject, asText, firstText, type Json } from './lenient.ts';

type Told = { field: string; event: string | null; digits: string | null; value: Json };

const DAY_MS = 24 * 60 * 60 * 1000;
/** For what Meta never takes back. */
const WEEK = 7 * DAY_MS;

/** What a word of Meta's opens or ends; `lastsMs` where nothing else ends it. */
type Meaning = { key: string; code: string; isOver?: boolean; lastsMs?: number };

const accountUpdates = new Map<string, Meaning>([
  ['ACCOUNT_VIOLATION', { key: 'violation', code: 'ACCOUNT_VIOLATION', lastsMs: WEEK }],
  ['ACCOUNT_RESTRICTION', { key: 'restriction', code: 'ACCOUNT_RESTRICTED', lastsMs: WEEK }],
  ['ACCOUNT_DELETED', { key: 'deleted', code: 'ACCOUNT_DELETED' }],
  ['ACCOUNT_OFFBOARDED', { key: 'offboarded', code: 'ACCOUNT_OFFBOARDED' }],
  ['ACCOUNT_RECONNECTED', { key: 'offboarded', code: 'ACCOUNT_OFFBOARDED', isOver: true }],
  ['PARTNER_REMOVED', { key: 'partner', code: 'APP_REMOVED' }],
  ['PARTNER_APP_UNINSTALLED', { key: 'partner', code: 'APP_REMOVED' }],
  ['PARTNER_ADDED', { key: 'partner', code: 'APP_REMOVED', isOver: true }],
  ['PARTNER_APP_INSTALLED', { key: 'partner', code: 'APP_REMOVED', isOver: true }],
  ['DISABLED_UPDATE', { key: 'disabled', code: 'ACCOUNT_DISABLED' }],
]);

const others = new Map<string, Meaning>([
  ['account_review_update REJECTED', { key: 'review', code: 'ACCOUNT_REVIEW_REJECTED' }],
  ['account_review_update APPROVED', { key: 'review', code: 'ACCOUNT_REVIEW_REJECTED', isOver: true }],
  ['phone_number_quality_update FLAGGED', { key: 'quality', code: 'NUMBER_FLAGGED' }],
  ['phone_number_quality_update DOWNGRADE', { key: 'quality', code: 'NUMBER_FLAGGED' }],
  ['phone_number_quality_update UNFLAGGED', { key: 'quality', code: 'NUMBER_FLAGGED', isOver: true }],
  ['phone_number_quality_update UPGRADE', { key: 'quality', code: 'NUMBER_FLAGGED', isOver: true }],
  ['phone_number_quality_update ONBOARDING', { key: 'quality', code: 'NUMBER_FLAGGED', isOver: true }],
  ['phone_number_quality_update THROUGHPUT_UPGRADE', { key: 'quality', code: 'NUMBER_FLAGGED', isOver: true }],
  ['phone_number_name_update REJECTED', { key: 'name', code: 'NAME_REJECTED' }],
  ['phone_number_name_update APPROVED', { key: 'name', code: 'NAME_REJECTED', isOver: true }],
  ['security PIN_CHANGED', { key: 'pin', code: 'PIN_CHANGED', lastsMs: WEEK }],
  ['security PIN_RESET_REQUEST', { key: 'pin', code: 'PIN_RESET_REQUESTED', lastsMs: WEEK }],
]);

/** Trouble of the channel that a change of the account begins or ends; null where it is only news. */
export function troubleOf(told: Told): Trouble | null {
  const meaning = meaningOf(told);
  if (!meaning) return null;
  const { key, code, isOver = false, lastsMs = null } = meaning;
  const subject = told.digits ?? 'account';
  const trouble = { key: `account:${key}:${subject}`, code, isOver, providerCode: null };
  return { ...trouble, until: restrictedUntil(told.value), lastsMs };
}

function meaningOf({ field, event, value }: Told): Meaning | null {
  if (field === 'account_alerts') return alertMeaning(value);
  if (field !== 'account_update') return others.get(`${field} ${event}`) ?? null;
  const meaning = accountUpdates.get(event ?? '') ?? null;
  const isReinstated = asText(asObject(value.ban_info)?.waba_ban_state) === 'REINSTATE';
  return meaning && isReinstated ? { ...meaning, isOver: true } : meaning;
}

function alertMeaning(value: Json): Meaning | null {
  const alert = asObject(value.alert_info);
  const severity = asText(alert?.alert_severity);
  if (!alert || severity === null || severity.startsWith('INFO')) return null;
  const type = firstText(alert.alert_type, value.entity_type) ?? 'alert';
  const isOver = /RESOLVED|INACTIVE|DEACTIVATED|NONE/.test(asText(alert.alert_status) ?? '');
  return { key: `alert:${type}:${asText(value.entity_id) ?? ''}`, code: 'ACCOUNT_ALERT', isOver, lastsMs: WEEK };
}

/** Until the last of the restrictions ends. */
function restrictedUntil(value: Json): Date | null {
  const ends = asElements(value.restriction_info).flatMap((entry) => asInstant(asObject(entry)?.expiration) ?? []);
  return ends.reduce<Date | null>((latest, end) => (latest === null || end > latest ? end : latest), null);
}

/** Errors beside the messages: something that Meta could not do for us, told once. */
export function errorTrouble(code: string | null, digits: string | null): Trouble {
  const providerCode = code !== null && /^\d{1,9}$/.test(code) ? Number(code) : null;
  const key = `account:error:${code ?? ''}:${digits ?? 'account'}`;
  return { key, code: 'PROVIDER_ERROR', isOver: false, providerCode, until: null, lastsMs: DAY_MS };
}
