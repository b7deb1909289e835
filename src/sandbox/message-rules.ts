import { graphError } from './graph-error.ts';
import { customerId, isUserId } from './ids.ts';

export type Payload = Record<string, unknown>;

/** Types that the sandbox knows, with the property that each cannot do without. */
const required: Readonly<Record<string, readonly string[]>> = {
  text: ['body'],
  image: [],
  video: [],
  audio: [],
  document: [],
  sticker: [],
  location: ['latitude', 'longitude'],
  reaction: ['message_id'],
  interactive: ['type', 'action'],
  template: ['name', 'language'],
};
const media = new Set(['image', 'video', 'audio', 'document', 'sticker']);

/** Throws Meta's error for what Meta would refuse at once. */
export function checkMessage(payload: Payload): { input: string; type: string } {
  const input = recipient(payload);
  const type = payload.type ?? 'text';
  if (typeof type !== 'string' || (type !== 'contacts' && required[type] === undefined)) {
    throw graphError(
      100,
      `Param type must be one of {${[...Object.keys(required), 'contacts'].join(', ').toUpperCase()}}`,
    );
  }
  const content = payload[type];
  if (content === undefined) throw graphError(131008, `The parameter ${type} is required.`);
  if (type === 'contacts') return { input, type };

  if (!isObject(content)) throw graphError(131009, `Param ${type} must be a JSON object.`);
  for (const key of required[type] ?? []) {
    if (content[key] === undefined) throw graphError(131008, `The parameter ${type}['${key}'] is required.`);
  }
  checkLengths(type, content);
  return { input, type };
}

export function isObject(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function recipient({ to, recipient: userId }: Payload): string {
  // `to` wins where both are given; a number is accepted in place of text.
  const input = to ?? userId;
  if (input === undefined) throw graphError(100, 'The parameter to is required.');
  const text = typeof input === 'number' ? String(input) : input;
  if (typeof text !== 'string') throw graphError(131009, 'Param to must be a string.');
  if (isUserId(text) || /^\d{5,15}$/.test(customerId(text))) return text;
  throw graphError(131009, 'Recipient is not a valid WhatsApp user.');
}

function checkLengths(type: string, content: Payload): void {
  if (type === 'text') checkText(content.body, "text['body']", 4_096);
  if (!media.has(type)) return;
  if (content.id === undefined && content.link === undefined) {
    throw graphError(131008, `One of ${type}['id'] and ${type}['link'] is required.`);
  }
  if (content.caption !== undefined) checkText(content.caption, `${type}['caption']`, 1_024);
}

function checkText(value: unknown, name: string, maxLength: number): void {
  if (typeof value !== 'string' || value.trim() === '') throw graphError(131009, `Param ${name} must not be empty.`);
  if (value.length > maxLength) throw graphError(100, `Param ${name} must be at most ${maxLength} characters long.`);
}
