import type { Identity, Item, MessageItem, ProviderProblem, Referral } from '../services/receiving/items.ts';
import { asInstant, asList, asNumber, asObject, asText, clean, firstText, type Json } from './lenient.ts';
import { describeContent, unsupported } from './message-content.ts';

const UNAVAILABLE = 131060;
const USER_ID = /^u?[A-Z]{2}\./;

/** What the elements of one change share. */
export type Surroundings = { phoneNumberId: string; contacts: Json[]; businessDigits: string | null; path: string };

type Source = { from: 'customer' | 'phone-app'; imported: boolean; customer?: string | null };

/** One element of `messages[]`, `message_echoes[]` or of an imported thread. */
export function readMessage(element: unknown, around: Surroundings, source: Source): Item {
  const message = asObject(element);
  const providerId = message && asText(message.id);
  if (!message || !providerId) return unknown(around, 'a message without an id');
  const common = {
    phoneNumberId: around.phoneNumberId,
    providerId,
    from: source.from,
    participant: identityOf(message, around, source),
    at: asInstant(message.timestamp),
  };
  const special = corrections[asText(message.type) ?? '']?.(message, common);
  if (special) return special;
  const { participant } = common;
  if (!participant.waId && !participant.userId && !asText(message.group_id))
    return unknown(around, 'a message without a customer');
  return contentItem(message, common, source);
}

type Common = Pick<MessageItem, 'phoneNumberId' | 'providerId' | 'from' | 'participant' | 'at'>;

const corrections: Record<string, (message: Json, common: Common) => Item | null> = {
  reaction: readReaction,
  edit: readEdit,
  revoke: readRevoke,
  system: readSystem,
};

function readReaction(message: Json, common: Common): Item | null {
  const reaction = asObject(message.reaction);
  const targetProviderId = reaction && asText(reaction.message_id);
  if (!targetProviderId) return null;
  return { ...common, type: 'reaction', targetProviderId, emoji: asText(reaction.emoji) };
}

function readEdit(message: Json, common: Common): Item | null {
  const edit = asObject(message.edit);
  const targetProviderId = edit && asText(edit.original_message_id);
  const replacement = edit && asObject(edit.message);
  if (!targetProviderId || !replacement) return null;
  return { ...common, type: 'edit', targetProviderId, replacement: describeContent(replacement) };
}

function readRevoke(message: Json, common: Common): Item | null {
  const targetProviderId = asText(asObject(message.revoke)?.original_message_id);
  return targetProviderId ? { ...common, type: 'revoke', targetProviderId } : null;
}

function readSystem(message: Json, common: Common): Item | null {
  const system = asObject(message.system) ?? {};
  const type = asText(system.type);
  if (type !== 'user_changed_number' && type !== 'user_changed_user_id') return null;
  const next = {
    waId: firstText(system.wa_id, system.new_wa_id),
    userId: asText(system.user_id),
    profileName: null,
  };
  const previous = { ...common.participant, userId: firstText(system.previous_user_id, common.participant.userId) };
  if (!(next.waId || next.userId) || !(previous.waId || previous.userId)) return null;
  const { phoneNumberId, providerId, at } = common;
  const content = { type: 'system' as const, text: asText(system.body) ?? 'The customer changed their number.' };
  return { type: 'identity-change', phoneNumberId, providerId, previous, next, content, at };
}

function contentItem(message: Json, common: Common, source: Source): MessageItem {
  const problem = readProblem(asList(message.errors)[0]);
  const isHistoryGap = asText(message.type) === 'media_placeholder';
  const described = isHistoryGap
    ? unsupported('media_placeholder', 'The file of an imported message follows.')
    : describeContent(message);
  const context = asObject(message.context);
  return {
    ...common,
    ...described,
    type: 'message',
    imported: source.imported,
    importedStatus: source.imported ? importedStatus(message) : null,
    quotedProviderId: context ? asText(context.id) : null,
    forwarded: context?.forwarded === true || context?.frequently_forwarded === true,
    referral: readReferral(message.referral),
    problem,
    placeholder: isHistoryGap || (described.kind === 'UNSUPPORTED' && problem?.code === UNAVAILABLE),
    cleaned: holdsUnstorable(message),
    groupId: asText(message.group_id),
  };
}

const HISTORY_STATUS: Record<string, MessageItem['importedStatus']> = {
  PENDING: 'PENDING',
  SENT: 'SENT',
  DELIVERED: 'DELIVERED',
  READ: 'READ',
  PLAYED: 'READ',
  ERROR: 'FAILED',
  FAILED: 'FAILED',
};

function importedStatus(message: Json): MessageItem['importedStatus'] {
  return HISTORY_STATUS[asText(asObject(message.history_context)?.status)?.toUpperCase() ?? ''] ?? null;
}

function readReferral(value: unknown): Referral | null {
  const referral = asObject(value);
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

export function readProblem(value: unknown): ProviderProblem | null {
  const error = asObject(value);
  if (!error) return null;
  return {
    code: asNumber(error.code),
    title: firstText(error.title, error.message) ?? 'Unknown error',
    detail: firstText(asObject(error.error_data)?.details, error.details, error.message),
  };
}

/** Who the customer is: the sender, or the addressee of what the phone app sent. Contacts are matched by id, not by place. */
function identityOf(message: Json, around: Surroundings, source: Source): Identity {
  const sent = source.from === 'phone-app';
  const named = source.customer ?? (sent ? asText(message.to) : asText(message.from));
  const userId = sent ? asText(message.to_user_id) : asText(message.from_user_id);
  return completed(splitId(named, userId), around.contacts);
}

/** A business-scoped id may stand where a number is expected. */
export function splitId(id: string | null, userId: string | null): Pick<Identity, 'waId' | 'userId'> {
  if (id && USER_ID.test(id)) return { waId: null, userId: userId ?? id };
  return { waId: id, userId };
}

/** Adds the name, and the id that the element itself leaves out. */
export function completed({ waId, userId }: Pick<Identity, 'waId' | 'userId'>, contacts: Json[]): Identity {
  const contact =
    contacts.find((entry) => waId !== null && asText(entry.wa_id) === waId) ??
    contacts.find((entry) => userId !== null && asText(entry.user_id) === userId) ??
    onlyContact(contacts, waId);
  if (!contact) return { waId, userId, profileName: null };
  const told = splitId(asText(contact.wa_id), asText(contact.user_id));
  return {
    waId: waId ?? told.waId,
    userId: userId ?? told.userId,
    profileName: asText(asObject(contact.profile)?.name)?.slice(0, 255) ?? null,
  };
}

/** A single contact is the sender unless its number says otherwise. */
function onlyContact(contacts: Json[], waId: string | null): Json | undefined {
  const [only] = contacts;
  if (contacts.length !== 1 || !only) return undefined;
  return waId !== null && asText(only.wa_id) !== null ? undefined : only;
}

function holdsUnstorable(message: Json): boolean {
  const text = asObject(message.text)?.body ?? asObject(message[asText(message.type) ?? ''])?.caption;
  return typeof text === 'string' && clean(text) !== text;
}

export function unknown(around: Pick<Surroundings, 'path'>, why: string, field: string | null = null): Item {
  return { type: 'unknown', path: around.path, field, why };
}
