import type { AnnouncedMedia, Content, DescribedContent } from '../db/content.ts';
import type { MessageKind } from '../generated/prisma/enums.ts';
import { asList, asNumber, asObject, asText, firstText, type Json } from './lenient.ts';

const MEDIA_KINDS: Record<string, MessageKind> = {
  image: 'IMAGE',
  video: 'VIDEO',
  audio: 'AUDIO',
  voice: 'VOICE',
  document: 'DOCUMENT',
  sticker: 'STICKER',
};

/** What a message says; what is not known becomes UNSUPPORTED with the provider's own word for it. */
export function describeContent(message: Json): DescribedContent {
  const type = asText(message.type) ?? typeByBody(message);
  if (type === null) return unsupported('unknown', null);
  const body = asObject(message[type]) ?? {};
  if (type in MEDIA_KINDS) return describeMedia(type, body);
  return readers[type]?.(body, message) ?? unsupported(providerTypeOf(type, body), reasonOf(message));
}

const readers: Record<string, (body: Json, message: Json) => DescribedContent | null> = {
  text: (body) => plain('TEXT', { type: 'text', text: asText(body.body) ?? '' }),
  location: describeLocation,
  contacts: (_body, message) => describeContacts(message),
  button: (body) => reply(firstText(body.payload, body.text), asText(body.text), null),
  interactive: describeInteractive,
  order: describeOrder,
  system: (body) => plain('SYSTEM', { type: 'system', text: asText(body.body) ?? 'A notice of WhatsApp' }),
  request_welcome: () => plain('SYSTEM', { type: 'system', text: 'The customer opened the chat for the first time.' }),
};

/** Some messages name no type: the first key that is one tells it. */
function typeByBody(message: Json): string | null {
  return Object.keys(message).find((key) => key in MEDIA_KINDS || key in readers) ?? null;
}

function describeMedia(type: string, body: Json): DescribedContent {
  const isVoice = type === 'audio' && (body.voice === true || body.voice === 'true');
  const media: AnnouncedMedia = {
    mediaId: asText(body.id),
    mimeType: asText(body.mime_type) ?? 'application/octet-stream',
    sha256: asText(body.sha256),
    fileName: asText(body.filename),
  };
  return {
    kind: isVoice ? 'VOICE' : (MEDIA_KINDS[type] ?? 'DOCUMENT'),
    content: { type: 'media', caption: asText(body.caption) },
    media,
  };
}

function describeLocation(body: Json): DescribedContent | null {
  const latitude = asNumber(body.latitude);
  const longitude = asNumber(body.longitude);
  if (latitude === null || longitude === null) return null;
  return plain('LOCATION', {
    type: 'location',
    latitude,
    longitude,
    name: asText(body.name),
    address: asText(body.address),
  });
}

function describeContacts(message: Json): DescribedContent {
  const contacts = asList(message.contacts).map((entry) => {
    const contact = asObject(entry) ?? {};
    const name = asObject(contact.name) ?? {};
    const phones = asList(contact.phones).map((phone) => asObject(phone) ?? {});
    const phoneNumbers = phones.flatMap((phone) => firstText(phone.phone, phone.wa_id) ?? []);
    return { name: firstText(name.formatted_name, name.first_name, phoneNumbers[0]) ?? 'Contact', phoneNumbers };
  });
  return plain('CONTACTS', { type: 'contacts', contacts });
}

function describeInteractive(body: Json): DescribedContent | null {
  const type = asText(body.type) ?? Object.keys(body).find((key) => key.endsWith('_reply')) ?? '';
  const answer = asObject(body[type]);
  if (!answer) return null;
  if (type === 'button_reply' || type === 'list_reply')
    return reply(asText(answer.id), asText(answer.title), asText(answer.description));
  if (type === 'nfm_reply')
    return reply(asText(answer.name) ?? 'flow', firstText(answer.body, answer.name), formLines(answer.response_json));
  if (type === 'call_permission_reply')
    return reply('call_permission_reply', `Call permission: ${asText(answer.response) ?? 'answered'}`, null);
  return null;
}

/** A form comes as JSON in a text; its token is of no use to people. */
function formLines(json: unknown): string | null {
  const text = asText(json);
  if (text === null) return null;
  try {
    const fields = asObject(JSON.parse(text));
    if (!fields) return text;
    const lines = Object.entries(fields).filter(([key]) => key !== 'flow_token');
    return lines
      .map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join('\n');
  } catch {
    return text;
  }
}

function describeOrder(body: Json): DescribedContent {
  const items = asList(body.product_items).map((entry) => {
    const item = asObject(entry) ?? {};
    return `${asText(item.quantity) ?? '1'} × ${asText(item.product_retailer_id) ?? 'item'}`;
  });
  return reply(asText(body.catalog_id) ?? 'order', `Order: ${items.join(', ')}`, asText(body.text));
}

function reply(replyId: string | null, title: string | null, description: string | null): DescribedContent {
  return plain('INTERACTIVE_REPLY', {
    type: 'interactive',
    replyId: replyId ?? '',
    title: title ?? replyId ?? '',
    description,
  });
}

function plain(kind: MessageKind, content: Content): DescribedContent {
  return { kind, content, media: null };
}

export function unsupported(providerType: string, reason: string | null): DescribedContent {
  return plain('UNSUPPORTED', { type: 'unsupported', providerType, reason });
}

function providerTypeOf(type: string, body: Json): string {
  const detail = firstText(body.type, body.raw_type);
  return detail && (type === 'interactive' || type === 'unsupported') ? `${type}.${detail}` : type;
}

function reasonOf(message: Json): string | null {
  const error = asObject(asList(message.errors)[0]);
  return error ? firstText(asObject(error.error_data)?.details, error.message, error.title) : null;
}
