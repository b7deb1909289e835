import type { CallItem, Item, PreferenceItem } from '../services/receiving/items.ts';
import { unknown } from './elements.ts';
import { identify, splitId } from './identities.ts';
import { asInstant, asObject, asText, type Json } from './lenient.ts';
import type { Surroundings } from './message-items.ts';

/** One element of `calls[]`. */
export function readCall(element: unknown, path: string, around: Surroundings): Item {
  const call = asObject(element);
  const callId = call && asText(call.id);
  if (!call || !callId) return unknown(path, around.field, 'a call without an id');
  const isFromBusiness = isBusinessCall(call, around.businessDigits);
  const ids = isFromBusiness ? splitId(call.to, call.to_user_id) : splitId(call.from, call.from_user_id);
  const participant = identify(ids, around.contacts);
  if (!participant.waId && !participant.userId) return unknown(path, around.field, 'a call without a customer');
  const event = asText(call.event) ?? 'unknown';
  const byCustomer = !isFromBusiness && callEvents.has(event);
  const item = { type: 'call' as const, phoneNumberId: around.phoneNumberId, callId, byCustomer, event, participant };
  return { ...item, at: asInstant(call.timestamp) } satisfies CallItem;
}

// A recording or transcript of it comes later and is no call.
const callEvents = new Set(['connect', 'terminate']);

function isBusinessCall(call: Json, businessDigits: string | null): boolean {
  const direction = asText(call.direction);
  if (direction === 'BUSINESS_INITIATED') return true;
  return direction !== 'USER_INITIATED' && businessDigits !== null && splitId(call.from, null).waId === businessDigits;
}

const marketingWords = new Map<string, PreferenceItem['marketing']>([
  ['stop', 'stop'],
  ['resume', 'resume'],
  ['signup', 'resume'],
]);

/** One element of `user_preferences[]`. */
export function readPreference(element: unknown, path: string, around: Surroundings): Item {
  const preference = asObject(element);
  const marketing = marketingWords.get(asText(preference?.value)?.toLowerCase() ?? '');
  const category = asText(preference?.category) ?? 'marketing_messages';
  if (!preference || !marketing || category !== 'marketing_messages') {
    return unknown(path, around.field, 'a preference that is not known');
  }
  const participant = identify(splitId(preference.wa_id, preference.user_id), around.contacts);
  if (!participant.waId && !participant.userId) return unknown(path, around.field, 'a preference without a customer');
  const { phoneNumberId } = around;
  const detail = asText(preference.detail);
  return { type: 'preference', phoneNumberId, participant, marketing, detail, at: asInstant(preference.timestamp) };
}
