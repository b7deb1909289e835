import type { TemplateParameter } from '../services/template-messages.ts';
import type { ValueMeaning } from '../services/templates/meanings.ts';
import { builder } from './builder.ts';
import { rowId } from './global-id.ts';

const LocationInput = builder.inputType('LocationInput', {
  fields: (t) => ({
    latitude: t.float({ required: true, description: 'Degrees, -90 to 90.' }),
    longitude: t.float({ required: true, description: 'Degrees, -180 to 180.' }),
    name: t.string(),
    address: t.string(),
  }),
});

const CurrencyAmountInput = builder.inputType('CurrencyAmountInput', {
  fields: (t) => ({
    code: t.string({ required: true, description: 'ISO 4217, e.g. CZK.' }),
    amount: t.float({ required: true, description: 'In whole units of the currency, at most three decimals.' }),
  }),
});

const DatePartsInput = builder.inputType('DatePartsInput', {
  description: 'As far as they are known; in the time of the text, without a zone.',
  fields: (t) => ({
    year: t.int(),
    month: t.int({ description: '1 to 12.' }),
    dayOfMonth: t.int({ description: '1 to 31.' }),
    dayOfWeek: t.int({ description: '1 is Monday, 7 is Sunday.' }),
    hour: t.int({ description: '0 to 23.' }),
    minute: t.int({ description: '0 to 59.' }),
  }),
});

export const TemplateParameterInput = builder.inputType('TemplateParameterInput', {
  description: 'One value of a template: a text, a file or a place, as its variable wants it.',
  fields: (t) => ({
    key: t.string({ required: true, description: 'As in TemplateVariable.key.' }),
    value: t.string({ description: 'One line: no line break, no tab, at most 4 blanks in a row, no placeholder.' }),
    attachmentId: t.id({ description: 'For header.media: a file from uploadAttachment.' }),
    location: t.field({ type: LocationInput }),
    currency: t.field({
      type: CurrencyAmountInput,
      description: 'Beside a value in the body: the amount that it names.',
    }),
    dateTime: t.field({
      type: DatePartsInput,
      description: 'Beside a value in the body: the date or time that it names. WhatsApp shows the value as it is.',
    }),
  }),
});

/** An id that is none of an attachment is as good as one that does not exist: the value is told as invalid. */
export function toParameter(input: typeof TemplateParameterInput.$inferInput): TemplateParameter {
  const { key, value, attachmentId, location } = input;
  const meaning = meaningOf(input);
  return {
    key,
    value: value ?? null,
    attachmentId: attachmentId ? (rowId('Attachment', attachmentId) ?? NO_ATTACHMENT) : null,
    location: location ? { ...location, name: location.name ?? null, address: location.address ?? null } : null,
    ...(meaning ? { meaning } : {}),
  };
}

function meaningOf({ currency, dateTime }: typeof TemplateParameterInput.$inferInput): ValueMeaning | null {
  if (!currency && !dateTime) return null;
  return { currency: currency ?? null, dateTime: dateTime ? { ...noParts, ...dateTime } : null };
}

const noParts = { year: null, month: null, dayOfMonth: null, dayOfWeek: null, hour: null, minute: null };

const NO_ATTACHMENT = '00000000-0000-0000-0000-000000000000';
