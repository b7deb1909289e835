import type { Item } from '../services/receiving/items.ts';
import { channelError, readAccountChange, type AccountSurroundings } from './account-items.ts';
import { readCall, readPreference } from './customer-items.ts';
import { readEach, unknown } from './elements.ts';
import { readHistory, readHistoryMessage } from './history-items.ts';
import { readContacts } from './identities.ts';
import { asElements, asInstant, asList, asObject, asText, type Json } from './lenient.ts';
import { readMessage, type Surroundings } from './message-items.ts';
import { readStatus } from './status-items.ts';
import { readTemplate } from './template-items.ts';

export type Payload = { object: string | null; items: Item[] };

/**
 * Flattens a webhook body: every entry, every change, every element, one item each. It takes whatever it is given and
 * never throws; an element that nobody can read is an `unknown` item and leaves its neighbours alone.
 */
export function parsePayload(body: unknown): Payload {
  const root = asObject(body);
  if (!root) return { object: null, items: [unknown('', null, 'not an object')] };
  const items = asElements(root.entry).flatMap((entry, index) => readEntry(entry, `entry[${index}]`));
  return { object: asText(root.object), items };
}

function readEntry(element: unknown, path: string): Item[] {
  const entry = asObject(element);
  if (!entry) return [unknown(path, null, 'not an entry')];
  const changes = asElements(entry.changes);
  if (changes.length === 0 && holdsMore(entry)) return [unknown(path, null, 'an entry without changes')];
  return changes.flatMap((change, index) => {
    const here = `${path}.changes[${index}]`;
    try {
      return readChange(asObject(change), entry, here);
    } catch {
      return [unknown(here, null, 'it could not be read')];
    }
  });
}

const envelope = new Set(['id', 'uid', 'time', 'changes']);

function holdsMore(entry: Json): boolean {
  return Object.keys(entry).some((key) => !envelope.has(key));
}

function readChange(change: Json | null, entry: Json, path: string): Item[] {
  if (!change) return [unknown(path, null, 'not a change')];
  // Some of Meta's own examples put `field` inside the value or beside the changes.
  const inner = asObject(change.value);
  const field = asText(change.field) ?? asText(inner?.field) ?? asText(entry.field);
  const value = inner ?? change;
  const account = { businessAccountId: asText(entry.id) ?? '', field, at: asInstant(entry.time) };
  const items = readElements(value, inner ? `${path}.value` : path, account);
  const own = readTemplate(value, change, account) ?? (items.length === 0 ? readAccountChange(value, account) : null);
  if (own) return [own, ...items];
  const others = readOtherLists(value, inner ? `${path}.value` : path, account);
  return items.length + others.length > 0 ? [...items, ...others] : [unknown(path, field, 'nothing in it is known')];
}

/** What concerns customers, whatever the field is called. */
function readElements(value: Json, path: string, account: AccountSurroundings): Item[] {
  const { field } = account;
  const around = surroundingsOf(value, field);
  const imported = field === 'history';
  const each = (key: string, read: (element: unknown, path: string) => Item) =>
    value[key] === undefined ? [] : readEach(value[key], `${path}.${key}`, field, read);
  return [
    ...each('messages', (element, here) =>
      imported
        ? readHistoryMessage(element, here, around, null)
        : readMessage(element, here, around, { from: isOfPhoneApp(field) ? 'phone-app' : 'customer', imported }),
    ),
    ...each('message_echoes', (element, here) => readMessage(element, here, around, { from: 'phone-app', imported })),
    ...each('statuses', (element, here) => readStatus(element, here, around)),
    ...each('calls', (element, here) => readCall(element, here, around)),
    ...each('user_preferences', (element, here) => readPreference(element, here, around)),
    ...readHistory(value.history, `${path}.history`, around, (element, here) =>
      channelError(element, here, account, around.businessDigits),
    ),
  ];
}

/** Whatever its list is called there. */
function isOfPhoneApp(field: string | null): boolean {
  return field === 'smb_message_echoes' || field === 'message_echoes';
}

function surroundingsOf(value: Json, field: string | null): Surroundings {
  const metadata = asObject(value.metadata);
  return {
    phoneNumberId: asText(metadata?.phone_number_id) ?? '',
    businessDigits: asText(metadata?.display_phone_number)?.replace(/\D/g, '') || null,
    contacts: readContacts(value.contacts),
    field,
  };
}

const readElsewhere = new Set([
  'messages',
  'message_echoes',
  'statuses',
  'calls',
  'user_preferences',
  'history',
  'contacts',
]);

/** Errors, and lists that nobody knows: they are kept and counted, too. */
function readOtherLists(value: Json, path: string, account: AccountSurroundings): Item[] {
  const digits = asText(asObject(value.metadata)?.display_phone_number)?.replace(/\D/g, '') || null;
  return Object.keys(value).flatMap((key) => {
    if (readElsewhere.has(key) || typeof value[key] !== 'object') return [];
    const isError = key === 'errors';
    return readEach(isError ? value[key] : asList(value[key]), `${path}.${key}`, account.field, (element, here) =>
      isError
        ? channelError(element, here, account, digits)
        : unknown(here, account.field, 'of a list that is not known'),
    );
  });
}
