import { meantParameter } from './meanings.ts';
import type { TemplateButton, TemplatePart } from './parts.ts';
import { placeholders } from './placeholders.ts';
import type { FilledValue, FilledValues } from './values.ts';
import { templateVariables } from './variables.ts';

/** One component of a send, in Meta's shape. A file stands as `attachmentId` until Meta has it under an id of its own. */
export type SendComponent = Record<string, unknown>;

type Find = (key: string) => FilledValue | undefined;

/** The components that carry values, and only these: Meta refuses empty ones. */
export function sendComponents(parts: readonly TemplatePart[], values: FilledValues): SendComponent[] {
  return componentsAt(parts, '', (key) => values.get(key));
}

function componentsAt(parts: readonly TemplatePart[], prefix: string, find: Find): SendComponent[] {
  const of = (type: TemplatePart['type']) => parts.filter((part) => part.type === type);
  return [
    ...of('HEADER').flatMap((part) => header(part, `${prefix}header`, find)),
    ...of('BODY').flatMap((part) => texts(part, 'body', `${prefix}body`, find)),
    ...of('LIMITED_TIME_OFFER').flatMap(() => offer(`${prefix}limited_time_offer.expiration`, find)),
    ...of('CAROUSEL').flatMap((part) => carousel(part, prefix, find)),
    ...of('BUTTONS').flatMap((part) => part.buttons.flatMap((one) => button(one, prefix, find))),
  ];
}

function header(part: TemplatePart, key: string, find: Find): SendComponent[] {
  const media = find(`${key}.media`);
  if (media?.kind === 'file') return [withParameters('header', [fileParameter(part, media)])];
  const place = find(`${key}.location`);
  if (place?.kind === 'location') {
    const { latitude, longitude, name, address } = place.location;
    const location = { latitude: String(latitude), longitude: String(longitude), name, address };
    return [withParameters('header', [{ type: 'location', location: withoutNulls(location) }])];
  }
  const product = text(find(`${key}.product_retailer_id`));
  if (product === null) return texts(part, 'header', key, find);
  const catalog = text(find(`${key}.catalog_id`));
  const parameter = { type: 'product', product: { product_retailer_id: product, catalog_id: catalog } };
  return [withParameters('header', [parameter])];
}

function fileParameter({ format }: TemplatePart, { file }: Extract<FilledValue, { kind: 'file' }>): SendComponent {
  const type = format === 'GIF' ? 'video' : String(format).toLowerCase();
  const name = type === 'document' && file.fileName ? { filename: file.fileName } : {};
  return { type, [type]: { attachmentId: file.id, ...name } };
}

function texts(part: TemplatePart, type: string, key: string, find: Find): SendComponent[] {
  const variables = templateVariables([part]).filter((variable) => variable.type === 'TEXT');
  const isNamed = variables.some(({ name }) => !/^\d+$/.test(name));
  const parameters = variables.map(({ name }) => ({
    ...(isNamed ? { parameter_name: name } : {}),
    ...textParameter(find(`${key}.${name}`)),
  }));
  return parameters.length > 0 ? [withParameters(type, parameters)] : [];
}

function textParameter(value: FilledValue | undefined): SendComponent {
  if (value?.kind === 'text' && value.meaning) return meantParameter(value.meaning, value.text);
  return { type: 'text', text: text(value) };
}

function offer(key: string, find: Find): SendComponent[] {
  const ends = text(find(key));
  if (ends === null) return [];
  const limited_time_offer = { expiration_time_ms: Date.parse(ends) };
  return [withParameters('limited_time_offer', [{ type: 'limited_time_offer', limited_time_offer }])];
}

function carousel(part: TemplatePart, prefix: string, find: Find): SendComponent[] {
  const cards = part.cards.map((card, index) => ({
    card_index: index,
    components: componentsAt(card, `${prefix}card.${index}.`, find),
  }));
  return [{ type: 'carousel', cards }];
}

function button(one: TemplateButton, prefix: string, find: Find): SendComponent[] {
  const key = `${prefix}button.${one.index}`;
  const parameter = buttonParameter(one, key, prefix, find);
  if (!parameter) return [];
  // Meta reads a one-time code's button back as a link.
  const subType = one.kind === 'OTP' ? 'url' : one.kind.toLowerCase();
  return [{ type: 'button', sub_type: subType, index: String(one.index), parameters: [parameter] }];
}

function buttonParameter(one: TemplateButton, key: string, prefix: string, find: Find): SendComponent | null {
  const payload = text(find(`${key}.payload`));
  if (payload !== null) return { type: 'payload', payload };
  const action = text(find(`${key}.action`));
  if (action !== null) return { type: 'action', action: JSON.parse(action) as unknown };
  // A form is opened even where nothing is handed to it.
  if (one.kind === 'FLOW') return { type: 'action', action: {} };
  const value = text(find(`${key}.${placeholders(one.url ?? '')[0] ?? '1'}`)) ?? code(one, prefix, find);
  if (value === null) return null;
  return one.kind === 'COPY_CODE' ? { type: 'coupon_code', coupon_code: value } : { type: 'text', text: value };
}

function code(one: TemplateButton, prefix: string, find: Find): string | null {
  return one.repeatsCode ? text(find(`${prefix}body.1`)) : null;
}

function withParameters(type: string, parameters: SendComponent[]): SendComponent {
  return { type, parameters };
}

function text(value: FilledValue | undefined): string | null {
  return value?.kind === 'text' ? value.text : null;
}

function withoutNulls(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null));
}
