import { comparisonKey } from '../services/phone-numbers.ts';
import type { Item } from '../services/receiving/items.ts';
import { readEach, unknown } from './elements.ts';
import { asElements, asObject, asText, type Json } from './lenient.ts';
import { readMessage, type Surroundings } from './message-items.ts';

/** Chunks of imported history: threads by customer, or an error where the owner shares none. */
export function readHistory(
  chunks: unknown,
  path: string,
  around: Surroundings,
  readError: (element: unknown, path: string) => Item,
): Item[] {
  return asElements(chunks).flatMap((element, index) => {
    const here = `${path}[${index}]`;
    const chunk = asObject(element);
    if (!chunk) return [unknown(here, around.field, 'not a chunk of history')];
    const items = [
      ...readEach(chunk.errors, `${here}.errors`, around.field, readError),
      ...asElements(chunk.threads).flatMap((thread, place) => readThread(thread, `${here}.threads[${place}]`, around)),
    ];
    return items.length > 0 ? items : [unknown(here, around.field, 'an empty chunk of history')];
  });
}

function readThread(element: unknown, path: string, around: Surroundings): Item[] {
  const thread = asObject(element);
  if (!thread) return [unknown(path, around.field, 'not a thread')];
  const customer = asText(thread.id);
  const items = readEach(thread.messages, `${path}.messages`, around.field, (message, here) =>
    readHistoryMessage(message, here, around, customer),
  );
  return items.length > 0 ? items : [unknown(path, around.field, 'an empty thread')];
}

/** In a thread both sides write: what our own number wrote is an echo. */
export function readHistoryMessage(
  element: unknown,
  path: string,
  around: Surroundings,
  customer: string | null,
): Item {
  const isOurs = isFromUs(asObject(element) ?? {}, around.businessDigits, customer);
  const from = isOurs ? 'phone-app' : 'customer';
  return readMessage(element, path, around, { from, imported: true, customer });
}

const NUMBER = /^\+?\d+$/;

function isFromUs(message: Json, business: string | null, customer: string | null): boolean {
  const from = asText(message.from);
  if (from === null || from === customer || (customer !== null && customer === asText(message.from_user_id)))
    return false;
  if (business !== null && isSame(from, business)) return true;
  // Two numbers of which neither is the other: an earlier number of ours. A user id cannot be compared with a number.
  return customer !== null && NUMBER.test(customer) && NUMBER.test(from) && !isSame(from, customer);
}

function isSame(one: string, other: string): boolean {
  return comparisonKey(one) === comparisonKey(other);
}
