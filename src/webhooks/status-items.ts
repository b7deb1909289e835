import type { Item, StatusItem } from '../services/receiving/items.ts';
import { asInstant, asList, asObject, asText, firstText } from './lenient.ts';
import { completed, readProblem, splitId, unknown, type Surroundings } from './message-items.ts';

const STATUSES: Record<string, StatusItem['status']> = {
  sent: 'SENT',
  delivered: 'DELIVERED',
  read: 'READ',
  played: 'READ',
  failed: 'FAILED',
};

/** One element of `statuses[]`. A word that we do not know is kept and never applied. */
export function readStatus(element: unknown, around: Surroundings): Item {
  const status = asObject(element);
  const providerId = status && asText(status.id);
  if (!status || !providerId) return unknown(around, 'a status without an id');
  const type = asText(status.type);
  if (type !== null && type !== 'message') return unknown(around, `a status of a ${type}`);
  const word = asText(status.status) ?? '';
  const ids = splitId(asText(status.recipient_id), asText(status.recipient_user_id));
  return {
    type: 'status',
    phoneNumberId: around.phoneNumberId,
    providerId,
    status: STATUSES[word.toLowerCase()] ?? 'unknown',
    word,
    at: asInstant(status.timestamp),
    recipient: completed(ids, around.contacts),
    opaqueId: asText(status.biz_opaque_callback_data),
    problem: readProblem(asList(status.errors)[0]),
  };
}

/** One element of `calls[]`. */
export function readCall(element: unknown, around: Surroundings): Item {
  const call = asObject(element);
  const callId = call && asText(call.id);
  if (!call || !callId) return unknown(around, 'a call without an id');
  const direction = asText(call.direction);
  const from = asText(call.from);
  const byCustomer =
    direction === null ? from !== null && from !== around.businessDigits : direction === 'USER_INITIATED';
  const customer = from !== null && from === around.businessDigits ? asText(call.to) : (from ?? asText(call.to));
  const participant = completed(splitId(customer, firstText(call.from_user_id, call.to_user_id)), around.contacts);
  if (!participant.waId && !participant.userId) return unknown(around, 'a call without a customer');
  const event = asText(call.event) ?? 'unknown';
  return {
    type: 'call',
    phoneNumberId: around.phoneNumberId,
    callId,
    byCustomer,
    event,
    participant,
    at: asInstant(call.timestamp),
  };
}

/** One element of `user_preferences[]`. */
export function readPreference(element: unknown, around: Surroundings): Item {
  const preference = asObject(element);
  const value = preference && asText(preference.value);
  if (!preference || !value) return unknown(around, 'a preference without a value');
  if (asText(preference.category) !== 'marketing_messages')
    return unknown(around, 'a preference of an unknown category');
  const participant = completed(splitId(asText(preference.wa_id), asText(preference.user_id)), around.contacts);
  if (!participant.waId && !participant.userId) return unknown(around, 'a preference without a customer');
  const marketing = value === 'stop' ? 'stop' : 'resume';
  const detail = asText(preference.detail);
  return {
    type: 'preference',
    phoneNumberId: around.phoneNumberId,
    participant,
    marketing,
    detail,
    at: asInstant(preference.timestamp),
  };
}
