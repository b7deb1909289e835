import type { Item, MessageItem } from '../services/receiving/items.ts';
import { splitId } from './identities.ts';
import { asObject, asText, firstText, type Json } from './lenient.ts';
import { describeContent } from './message-content.ts';

/** What every item has that is made of a message. */
export type Common = Pick<MessageItem, 'phoneNumberId' | 'providerId' | 'from' | 'participant' | 'at'>;

type ReadCorrection = (message: Json, common: Common) => Item | null;

const readers = new Map<string, ReadCorrection>([
  ['reaction', readReaction],
  ['edit', readEdit],
  ['revoke', readRevoke],
  ['system', readIdentityChange],
]);

/** What changes something that is there instead of adding to it; null where it cannot be read as such. */
export function readCorrection(message: Json, type: string | null, common: Common): Item | null {
  return (type !== null && readers.get(type)?.(message, common)) || null;
}

function readReaction(message: Json, common: Common): Item | null {
  const reaction = asObject(message.reaction);
  const targetProviderId = reaction && asText(reaction.message_id);
  return targetProviderId ? { ...common, type: 'reaction', targetProviderId, emoji: asText(reaction.emoji) } : null;
}

/** What cannot be read must not take the place of what was. */
function readEdit(message: Json, common: Common): Item | null {
  const edit = asObject(message.edit);
  const targetProviderId = edit && asText(edit.original_message_id);
  const replaced = edit && asObject(edit.message);
  if (!targetProviderId || !replaced) return null;
  const replacement = describeContent(replaced);
  return replacement.kind === 'UNSUPPORTED' ? null : { ...common, type: 'edit', targetProviderId, replacement };
}

function readRevoke(message: Json, common: Common): Item | null {
  const targetProviderId = asText(asObject(message.revoke)?.original_message_id);
  return targetProviderId ? { ...common, type: 'revoke', targetProviderId } : null;
}

const identityChanges = new Set(['user_changed_number', 'user_changed_user_id']);

function readIdentityChange(message: Json, common: Common): Item | null {
  const system = asObject(message.system);
  if (!system || !identityChanges.has(asText(system.type) ?? '')) return null;
  const next = { ...splitId(firstText(system.wa_id, system.new_wa_id), system.user_id), profileName: null };
  const { phoneNumberId, providerId, participant, at } = common;
  const previous = {
    waId: participant.waId ?? splitId(system.customer, null).waId,
    userId: firstText(system.previous_user_id, participant.userId === next.userId ? null : participant.userId),
    profileName: participant.profileName,
  };
  if (!(next.waId || next.userId) || !(previous.waId || previous.userId)) return null;
  const content = { type: 'system' as const, text: asText(system.body) ?? 'The customer changed their number.' };
  return { type: 'identity-change', phoneNumberId, providerId, previous, next, content, at };
}
