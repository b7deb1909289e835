import { channelError, readAccountChange, type AccountSurroundings } from './account-items.ts';
import type { Item } from '../services/receiving/items.ts';
import { asInstant, asList, asObject, asText, type Json } from './lenient.ts';
import { readMessage, unknown, type Surroundings } from './message-items.ts';
import { readCall, readPreference, readStatus } from './status-items.ts';

export type Payload = { object: string | null; items: Item[] };

/**
 * Flattens a webhook body: every entry, every change, every element, one item each. It takes whatever it is given and
 * never throws; an element that nobody can read is an `unknown` item and leaves its neighbours alone.
 */
export function parsePayload(body: unknown): Payload {
  const root = asObject(body) ?? {};
  const items = asList(root.entry).flatMap((entry, index) => readEntry(asObject(entry) ?? {}, `entry[${index}]`));
  return { object: asText(root.object), items };
}

function readEntry(entry: Json, path: string): Item[] {
  const changes = asList(entry.changes);
  return changes.flatMap((element, index) => {
    const here = `${path}.changes[${index}]`;
    const change = asObject(element);
    if (!change) return [unknown({ path: here }, 'not an object')];
    // Some of Meta's own examples put `field` inside the value, or beside the changes.
    const value = asObject(change.value) ?? {};
    const field = asText(change.field) ?? asText(value.field) ?? asText(entry.field);
    return readChange(value, {
      businessAccountId: asText(entry.id) ?? '',
      field,
      at: asInstant(entry.time),
      path: here,
    });
  });
}

function readChange(value: Json, around: AccountSurroundings): Item[] {
  const metadata = asObject(value.metadata);
  const surroundings: Surroundings = {
    phoneNumberId: asText(metadata?.phone_number_id) ?? '',
    businessDigits: asText(metadata?.display_phone_number)?.replace(/\D/g, '') ?? null,
    contacts: asList(value.contacts)
      .map(asObject)
      .filter((contact) => contact !== null),
    path: around.path,
  };
  const items = Object.entries(elements).flatMap(([key, read]) =>
    readList(value[key], key, surroundings, around, read),
  );
  if (items.length > 0) return items;
  return guarded(
    () => [readAccountChange(value, around) ?? unknown(surroundings, 'nothing in it is known', around.field)],
    around.path,
  );
}

type ReadElement = (element: unknown, surroundings: Surroundings, around: AccountSurroundings) => Item[];

/** The lists that a value may hold, each with its reader. */
const elements: Record<string, ReadElement> = {
  messages: (element, surroundings, around) =>
    isHistory(around)
      ? [readHistoryMessage(element, surroundings, null)]
      : [readMessage(element, surroundings, { from: 'customer', imported: false })],
  message_echoes: (element, surroundings, around) => [
    readMessage(element, surroundings, { from: 'phone-app', imported: isHistory(around) }),
  ],
  statuses: (element, surroundings) => [readStatus(element, surroundings)],
  calls: (element, surroundings) => [readCall(element, surroundings)],
  user_preferences: (element, surroundings) => [readPreference(element, surroundings)],
  history: readHistory,
  errors: (element, _surroundings, around) => [channelError(element, around)],
};

function readList(
  list: unknown,
  key: string,
  surroundings: Surroundings,
  around: AccountSurroundings,
  read: ReadElement,
): Item[] {
  return asList(list).flatMap((element, index) => {
    const path = `${surroundings.path}.value.${key}[${index}]`;
    return guarded(() => read(element, { ...surroundings, path }, around), path);
  });
}

/** What a reader did not expect becomes an item of its own. */
function guarded(read: () => Item[], path: string): Item[] {
  try {
    return read();
  } catch (error) {
    return [unknown({ path }, error instanceof Error ? error.name : 'unreadable')];
  }
}

function isHistory({ field }: AccountSurroundings): boolean {
  return field === 'history';
}

/** A chunk of imported history: threads by customer. */
function readHistory(element: unknown, surroundings: Surroundings, around: AccountSurroundings): Item[] {
  const chunk = asObject(element) ?? {};
  const refusals = asList(chunk.errors).map((error) => channelError(error, around));
  const messages = asList(chunk.threads).flatMap((entry, thread) => {
    const { id, messages: list } = asObject(entry) ?? {};
    return asList(list).map((message, index) =>
      readHistoryMessage(
        message,
        { ...surroundings, path: `${surroundings.path}.threads[${thread}].messages[${index}]` },
        asText(id),
      ),
    );
  });
  const items = [...refusals, ...messages];
  return items.length > 0 ? items : [unknown(surroundings, 'an empty chunk of history', around.field)];
}

/** In a thread both sides write: what our own number wrote is an echo. */
function readHistoryMessage(element: unknown, surroundings: Surroundings, customer: string | null): Item {
  const from = asText(asObject(element)?.from);
  const isOurs = from !== null && (from === surroundings.businessDigits || (customer !== null && from !== customer));
  return readMessage(element, surroundings, {
    from: isOurs ? 'phone-app' : 'customer',
    imported: true,
    ...(customer && { customer }),
  });
}
