import type { Identity, Item, MessageItem, ProviderProblem, Referral } from '../services/receiving/items.ts';
import { readCorrection, type Common } from './corrections.ts';
import { unknown } from './elements.ts';
import { identify, splitId, type Contacts } from './identities.ts';
import { asElements, asInstant, asObject, asText, cleaningsSoFar, isTrue, type Json } from './lenient.ts';
import { describeContent, typeOf } from './message-content.ts';
import { readProblem } from './problems.ts';

const UNAVAILABLE = 131060;

/** What the elements of one change share. */
export type Surroundings = {
  phoneNumberId: string;
  businessDigits: string | null;
  contacts: Contacts;
  field: string | null;
};

export type Source = { from: 'customer' | 'phone-app'; imported: boolean; customer?: string | null };

/** One element of `messages[]`, `message_echoes[]` or of an imported thread. */
export function readMessage(element: unknown, path: string, around: Surroundings, source: Source): Item {
  const cleaningsBefore = cleaningsSoFar();
  const message = asObject(element);
  const providerId = message && asText(message.id);
  if (!message || !providerId) return unknown(path, around.field, 'a message without an id');
  const common: Common = {
    phoneNumberId: around.phoneNumberId,
    providerId,
    from: source.from,
    participant: participantOf(message, around, source),
    at: asInstant(message.timestamp),
  };
  const type = typeOf(message);
  const correction = readCorrection(message, type, common);
  if (correction) return correction;
  if (!isFromSomebody(common.participant, message)) return unknown(path, around.field, 'a message without a customer');
  const item = contentItem(message, type, common, source);
  return cleaningsSoFar() === cleaningsBefore ? item : { ...item, cleaned: true };
}

/** The sender, or the addressee of what the phone app sent. */
function participantOf(message: Json, around: Surroundings, { from, customer }: Source): Identity {
  if (from === 'phone-app') return identify(splitId(customer ?? message.to, message.to_user_id), around.contacts);
  const userId = message.from_user_id ?? message.from_parent_user_id;
  return identify(splitId(customer ?? message.from, userId), around.contacts);
}

function isFromSomebody({ waId, userId }: Identity, message: Json): boolean {
  return waId !== null || userId !== null || asText(message.group_id) !== null;
}

function contentItem(message: Json, type: string | null, common: Common, source: Source): MessageItem {
  const described = describeContent(message, type);
  const problems = asElements(message.errors).flatMap((error) => readProblem(error) ?? []);
  const context = asObject(message.context);
  return {
    ...common,
    ...described,
    type: 'message',
    imported: source.imported,
    importedStatus: source.imported && source.from === 'phone-app' ? importedStatus(message) : null,
    quotedProviderId: context && asText(context.id),
    forwarded: isTrue(context?.forwarded) || isTrue(context?.frequently_forwarded),
    referral: readReferral(asObject(message.referral)),
    problem: problems[0] ?? null,
    placeholder: type === 'media_placeholder' || (described.kind === 'UNSUPPORTED' && problems.some(isUnavailable)),
    cleaned: false,
    groupId: asText(message.group_id),
  };
}

/** The message itself may follow under the same id. */
function isUnavailable({ code }: ProviderProblem): boolean {
  return code === UNAVAILABLE;
}

const historyStatuses = new Map<string, MessageItem['importedStatus']>([
  ['PENDING', 'PENDING'],
  ['SENT', 'SENT'],
  ['DELIVERED', 'DELIVERED'],
  ['READ', 'READ'],
  ['PLAYED', 'READ'],
  ['ERROR', 'FAILED'],
  ['FAILED', 'FAILED'],
]);

function importedStatus(message: Json): MessageItem['importedStatus'] {
  const word = asText(asObject(message.history_context)?.status);
  return historyStatuses.get(word?.toUpperCase() ?? '') ?? null;
}

function readReferral(referral: Json | null): Referral | null {
  if (!referral) return null;
  return {
    sourceType: asText(referral.source_type),
    sourceId: asText(referral.source_id),
    sourceUrl: asText(referral.source_url),
    headline: asText(referral.headline),
    body: asText(referral.body),
    clickId: asText(referral.ctwa_clid),
  };
}
