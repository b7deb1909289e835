import { GraphQLError } from 'graphql';
import { writeInstant } from '../db/instant.ts';
import { isTimeZone } from '../env.ts';
import { normalisePhoneNumber } from '../services/phone-numbers.ts';
import { builder } from './builder.ts';

builder.scalarType('DateTime', {
  description:
    'Instant as RFC 3339, always UTC with milliseconds on output. Input must carry a zone and be of the years 1 to 9999.',
  serialize: (value) => writeInstant(value instanceof Date ? value : new Date(String(value))),
  parseValue: parseDateTime,
});

builder.scalarType('Date', {
  description: 'Calendar date without a zone, as YYYY-MM-DD.',
  serialize: String,
  parseValue: (value) => checked(value, /^\d{4}-\d{2}-\d{2}$/, 'a date as YYYY-MM-DD'),
});

builder.scalarType('TimeZone', {
  description: 'IANA zone name, e.g. Europe/Prague. Unknown names are refused.',
  serialize: String,
  parseValue: parseTimeZone,
});

builder.scalarType('PhoneNumber', {
  description: "E.164: '+' and 8 to 15 digits. Blanks, dashes, brackets and a leading 00 are normalised on input.",
  serialize: String,
  parseValue: parsePhoneNumber,
});

builder.scalarType('MetaId', {
  description: 'Identifier given by Meta: digits, kept as text so that leading zeros and long ids survive.',
  serialize: String,
  parseValue: parseMetaId,
});

builder.scalarType('EventCursor', {
  description: 'Opaque position in the event stream.',
  serialize: String,
  parseValue: (value) => checked(value, /^[\w-]{1,200}$/, 'a cursor as it was given out'),
});

builder.scalarType('LanguageCode', {
  description: 'Language as Meta spells it, e.g. cs or en_US; en-US is taken, too.',
  serialize: String,
  parseValue: (value) =>
    checked(value, /^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*$/, 'a language such as cs or en_US').replaceAll('-', '_'),
});

builder.scalarType('ConversationFilterJSON', {
  description: 'A stored filter: send it back unchanged as a ConversationFilterInput variable.',
  serialize: (value) => value,
  parseValue: () => refuse('a ConversationFilterInput'),
});

const MAX_ID_LENGTH = 100;
const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/i;

function parseDateTime(value: unknown): Date {
  const text = checked(value, RFC3339, 'an instant as RFC 3339 with a zone').toUpperCase();
  const date = new Date(text);
  const year = date.getUTCFullYear();
  return isDayOfCalendar(text) && year >= 1 && year <= 9999 ? date : refuse('an instant of the years 1 to 9999');
}

/** JavaScript reads 31 February and 24:00 as times of a later day. */
function isDayOfCalendar(text: string): boolean {
  const local = new Date(text.replace(/(Z|[+-]\d{2}:\d{2})$/, 'Z'));
  return !Number.isNaN(local.getTime()) && local.toISOString().slice(0, 10) === text.slice(0, 10);
}

function parseTimeZone(value: unknown): string {
  return typeof value === 'string' && isTimeZone(value)
    ? value
    : refuse('a known IANA time zone such as Europe/Prague');
}

/** What cannot be a number is passed on as it is, so that the mutation tells it with its path and all other problems. */
function parsePhoneNumber(value: unknown): string {
  if (typeof value !== 'string' || value.length > MAX_ID_LENGTH) return refuse('a phone number as text');
  const number = normalisePhoneNumber(value);
  return number.ok ? number.value : value;
}

function parseMetaId(value: unknown): string {
  if (typeof value !== 'string' || value.length > MAX_ID_LENGTH) return refuse('a text of digits');
  return value.trim();
}

function checked(value: unknown, pattern: RegExp, expected: string): string {
  return typeof value === 'string' && pattern.test(value) ? value : refuse(expected);
}

function refuse(expected: string): never {
  throw new GraphQLError(`Expected ${expected}.`, { extensions: { code: 'BAD_USER_INPUT' } });
}
