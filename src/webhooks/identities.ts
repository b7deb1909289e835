import { comparisonKey } from '../services/phone-numbers.ts';
import type { Identity } from '../services/receiving/items.ts';
import { asElements, asObject, asText, firstText, type Json } from './lenient.ts';

export type Ids = Pick<Identity, 'waId' | 'userId'>;

/** The `contacts[]` of one change: by each of their ids, and the only one where there is just one. */
export type Contacts = { byId: ReadonlyMap<string, Identity>; only: Identity | null };

const USER_ID = /^[A-Z]{2}\./;
const MAX_NAME = 255;

export function readContacts(list: unknown): Contacts {
  const contacts = asElements(list).flatMap((element) => identityOf(asObject(element)) ?? []);
  const byId = new Map<string, Identity>();
  for (const contact of contacts) {
    for (const id of [contact.waId, contact.userId]) {
      if (id !== null && !byId.get(id)?.profileName) byId.set(id, contact);
    }
  }
  return { byId, only: contacts.length === 1 ? (contacts[0] ?? null) : null };
}

function identityOf(contact: Json | null): Identity | null {
  if (!contact) return null;
  const profile = asObject(contact.profile);
  return { ...splitId(contact.wa_id, contact.user_id), profileName: nameOf(profile) };
}

function nameOf(profile: Json | null): string | null {
  const name = firstText(asText(profile?.name)?.trim(), profile?.username);
  // The cut may fall into the middle of an emoji.
  return name === null || name.length <= MAX_NAME ? name : name.slice(0, MAX_NAME).replace(/\p{Surrogate}$/u, '');
}

/** The ids of a customer as an element names them: a business-scoped id may stand where a number is expected. */
export function splitId(id: unknown, userId: unknown): Ids {
  const named = asText(id);
  const scoped = asText(userId);
  if (named !== null && USER_ID.test(named)) return { waId: null, userId: scoped ?? named };
  return { waId: named?.startsWith('+') ? named.replace(/\D/g, '') || null : named, userId: scoped };
}

/** Adds the name, and the id that the element itself leaves out. Contacts are matched by id, never by place. */
export function identify({ waId, userId }: Ids, contacts: Contacts): Identity {
  const contact =
    (waId === null ? undefined : contacts.byId.get(waId)) ??
    (userId === null ? undefined : contacts.byId.get(userId)) ??
    onlyContact(contacts, { waId, userId });
  if (!contact) return { waId, userId, profileName: null };
  return { waId: waId ?? contact.waId, userId: userId ?? contact.userId, profileName: contact.profileName };
}

/** A single contact is the one meant unless an id of it says otherwise. */
function onlyContact({ only }: Contacts, { waId, userId }: Ids): Identity | null {
  if (!only) return null;
  const isOtherNumber = waId !== null && only.waId !== null && comparisonKey(waId) !== comparisonKey(only.waId);
  const isOtherUser = userId !== null && only.userId !== null && userId !== only.userId;
  return isOtherNumber || isOtherUser ? null : only;
}
