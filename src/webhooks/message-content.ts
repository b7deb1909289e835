import type { AnnouncedMedia, Content, DescribedContent } from '../db/content.ts';
import type { MessageKind } from '../generated/prisma/enums.ts';
import { describeInteractive, reply } from './interactive-content.ts';
import { asElements, asNumber, asObject, asText, firstText, isTrue, type Json } from './lenient.ts';

type Describe = (body: Json, message: Json) => DescribedContent | null;

// Maps, because a type such as `constructor` would find something in a plain object.
const readers = new Map<string, Describe>([
  ['text', (_body, message) => describeText(message.text)],
  ['image', (body) => describeMedia('IMAGE', body)],
  ['video', (body) => describeMedia('VIDEO', body)],
  ['audio', (body) => describeMedia(isTrue(body.voice) ? 'VOICE' : 'AUDIO', body)],
  ['voice', (body) => describeMedia('VOICE', body)],
  ['document', (body) => describeMedia('DOCUMENT', body)],
  ['sticker', (body) => describeMedia('STICKER', body)],
  ['location', describeLocation],
  ['contacts', (_body, message) => describeContacts(message.contacts)],
  ['button', (body) => reply(firstText(body.payload, body.text), asText(body.text), null)],
  ['interactive', describeInteractive],
  ['order', describeOrder],
  ['system', (body) => plain('SYSTEM', { type: 'system', text: asText(body.body) ?? 'A notice of WhatsApp' })],
  [
    'request_welcome',
    () => plain('SYSTEM', { type: 'system', text: 'The customer opened the chat for the first time.' }),
  ],
  ['media_placeholder', () => unsupported('media_placeholder', 'The file of an imported message follows.')],
]);

const bodyless = new Set(['request_welcome', 'media_placeholder']);
const corrections = new Set(['reaction', 'edit', 'revoke']);

/** The type that a message names; where nothing of that type is in it, what is there instead. */
export function typeOf(message: Json): string | null {
  const word = asText(message.type);
  const type = word !== null && isKnown(word.toLowerCase()) ? word.toLowerCase() : word;
  if (type !== null && (message[type] !== undefined || bodyless.has(type))) return type;
  return Object.keys(message).find((key) => isKnown(key) && (message[key] ?? null) !== null) ?? type;
}

function isKnown(type: string): boolean {
  return readers.has(type) || corrections.has(type);
}

/** What a message says; what is not known becomes UNSUPPORTED with the provider's own word for it. */
export function describeContent(message: Json, type: string | null = typeOf(message)): DescribedContent {
  if (type === null) return unsupported('unknown', reasonOf(message));
  const body = asObject(message[type]) ?? {};
  return readers.get(type)?.(body, message) ?? unsupported(providerTypeOf(type, body), reasonOf(message));
}

function describeText(value: unknown): DescribedContent | null {
  const text = firstText(asObject(value)?.body, value);
  return text === null ? null : plain('TEXT', { type: 'text', text });
}

function describeMedia(kind: MessageKind, body: Json): DescribedContent {
  const media: AnnouncedMedia = {
    mediaId: asText(body.id),
    mimeType: asText(body.mime_type) ?? 'application/octet-stream',
    sha256: asText(body.sha256),
    fileName: asText(body.filename),
  };
  return { kind, content: { type: 'media', caption: asText(body.caption) }, media };
}

function describeLocation(body: Json): DescribedContent | null {
  const latitude = asNumber(body.latitude);
  const longitude = asNumber(body.longitude);
  if (latitude === null || longitude === null) return null;
  const name = asText(body.name);
  return plain('LOCATION', { type: 'location', latitude, longitude, name, address: asText(body.address) });
}

function describeContacts(list: unknown): DescribedContent {
  const contacts = asElements(list).map((element) => sharedContact(asObject(element) ?? {}));
  return plain('CONTACTS', { type: 'contacts', contacts });
}

function sharedContact(contact: Json): { name: string; phoneNumbers: string[] } {
  const name = asObject(contact.name);
  const phoneNumbers = asElements(contact.phones).flatMap((element) => {
    const phone = asObject(element);
    return firstText(phone?.phone, phone?.wa_id) ?? [];
  });
  const company = asObject(contact.org)?.company;
  return {
    name: firstText(name?.formatted_name, name?.first_name, company, phoneNumbers[0]) ?? 'Contact',
    phoneNumbers,
  };
}

function describeOrder(body: Json): DescribedContent {
  const products = asElements(body.product_items).map((element) => {
    const item = asObject(element);
    return `${asText(item?.quantity) ?? '1'} × ${asText(item?.product_retailer_id) ?? 'item'}`;
  });
  const title = products.length > 0 ? `Order: ${products.join(', ')}` : 'Order';
  return reply(asText(body.catalog_id) ?? 'order', title, asText(body.text));
}

function plain(kind: MessageKind, content: Content): DescribedContent {
  return { kind, content, media: null };
}

function unsupported(providerType: string, reason: string | null): DescribedContent {
  return plain('UNSUPPORTED', { type: 'unsupported', providerType, reason });
}

function providerTypeOf(type: string, body: Json): string {
  const detail = type === 'interactive' || type === 'unsupported' ? firstText(body.type, body.raw_type) : null;
  return detail === null ? type : `${type}.${detail}`;
}

function reasonOf(message: Json): string | null {
  const error = asObject(asElements(message.errors)[0]);
  return error ? firstText(asObject(error.error_data)?.details, error.message, error.title) : null;
}
