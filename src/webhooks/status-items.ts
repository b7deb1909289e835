import type { Item, StatusItem } from '../services/receiving/items.ts';
import { unknown } from './elements.ts';
import { identify, splitId } from './identities.ts';
import { asElements, asInstant, asObject, asText, firstText } from './lenient.ts';
import type { Surroundings } from './message-items.ts';
import { readProblem } from './problems.ts';

const statuses = new Map<string, StatusItem['status']>([
  ['sent', 'SENT'],
  ['delivered', 'DELIVERED'],
  ['read', 'READ'],
  ['played', 'READ'],
  ['failed', 'FAILED'],
]);

/** One element of `statuses[]`. A word that we do not know is kept and never applied. */
export function readStatus(element: unknown, path: string, around: Surroundings): Item {
  const status = asObject(element);
  const providerId = status && asText(status.id);
  if (!status || !providerId) return unknown(path, around.field, 'a status without an id');
  const type = asText(status.type);
  if (type !== null && type !== 'message')
    return unknown(path, around.field, 'a status of something else than a message');
  const word = asText(status.status) ?? '';
  // In a group `recipient_id` is the group.
  const ids = splitId(firstText(status.recipient_participant_id, status.recipient_id), status.recipient_user_id);
  return {
    type: 'status',
    phoneNumberId: around.phoneNumberId,
    providerId,
    status: statuses.get(word.toLowerCase()) ?? 'unknown',
    word,
    at: asInstant(status.timestamp),
    recipient: identify(ids, around.contacts),
    opaqueId: asText(status.biz_opaque_callback_data),
    problem: readProblem(asElements(status.errors)[0]),
  };
}
