import { z } from 'zod';
import type { Problems } from './problems.ts';
import { checkText } from './texts.ts';

/** Kinds of values that are checked; a field of any other kind holds text. */
export const fieldTypes = ['TEXT', 'NUMBER', 'BOOLEAN', 'DATE', 'DATE_TIME', 'CHOICE'] as const;

/** An extra field of a request template. Values are texts, written as the type says. */
export type FieldDefinition = {
  key: string;
  label: string;
  type: string;
  required: boolean;
  editable: boolean;
  options: string[];
};

const definition = z.object({
  key: z.string(),
  label: z.string().optional(),
  type: z.string().default('TEXT'),
  required: z.boolean().default(false),
  editable: z.boolean().default(true),
  options: z.array(z.string()).default([]),
});

/** The fields of a template in the order of the form; what is no definition is left out. */
export function fieldDefinitions(template: { fields: unknown } | null): FieldDefinition[] {
  const stored = Array.isArray(template?.fields) ? template.fields : [];
  return stored.flatMap((entry) => {
    const { data } = definition.safeParse(entry);
    return data ? [{ ...data, label: data.label ?? data.key }] : [];
  });
}

/** The fields that a request shows: those of its template, then values whose field the template has no more. */
export function fieldValues(
  template: { fields: unknown } | null,
  stored: unknown,
): { field: FieldDefinition; value: string | null }[] {
  const values = storedValues(stored);
  const definitions = fieldDefinitions(template);
  const known = new Set(definitions.map(({ key }) => key));
  const orphans = Object.keys(values).filter((key) => !known.has(key));
  return [
    ...definitions.map((field) => ({ field, value: values[field.key] ?? null })),
    ...orphans.map((key) => ({ field: orphan(key), value: values[key] ?? null })),
  ];
}

export type FieldInput = { key: string; value?: string | null };

/**
 * The values after an input: keys that it names are set or cleared, others stay; null clears them all. Only fields of
 * the template can be set, and not those that CDESK keeps for itself. Problems stand at ["input", "fields", key].
 */
export function changedValues(
  problems: Problems,
  template: { fields: unknown } | null,
  stored: Record<string, string>,
  given: readonly FieldInput[] | null,
  editor: 'operator' | 'cdesk' = 'operator',
): Record<string, string> {
  const definitions = new Map(fieldDefinitions(template).map((field) => [field.key, field]));
  const values = given === null ? onlyFixed(definitions, stored) : { ...stored };
  const seen = new Set<string>();
  for (const { key, value } of given ?? []) {
    const field = definitions.get(key);
    if (seen.has(key)) problems.invalid('DUPLICATE_FIELD', `The field ${key} is given twice.`, 'fields', key);
    else if (!field) problems.invalid('UNKNOWN_FIELD', `There is no field ${key} in this template.`, 'fields', key);
    else setValue(problems, values, { ...field, editable: field.editable || editor === 'cdesk' }, value ?? '');
    seen.add(key);
  }
  for (const field of definitions.values()) {
    if (field.required && field.editable && !(field.key in values))
      problems.invalid('REQUIRED', `The field ${field.label} must be filled in.`, 'fields', field.key);
  }
  return values;
}

function onlyFixed(definitions: Map<string, FieldDefinition>, stored: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(stored).filter(([key]) => definitions.get(key)?.editable === false));
}

function setValue(problems: Problems, values: Record<string, string>, field: FieldDefinition, text: string): void {
  const value = text.trim();
  if (value === (values[field.key] ?? '')) return;
  if (!field.editable) return problems.invalid('READ_ONLY', `Only CDESK sets ${field.label}.`, 'fields', field.key);
  if (value === '') {
    delete values[field.key];
    return;
  }
  const expected = whatIsExpected(field, value);
  if (expected) problems.invalid('WRONG_TYPE', `${field.label} must be ${expected}.`, 'fields', field.key);
  // A value that is refused counts as given: one problem per field is enough.
  values[field.key] = checkText(problems, value, 'fields', field.key);
}

/** Null where the value is one of the field's type. */
function whatIsExpected({ type, options }: FieldDefinition, value: string): string | null {
  switch (type) {
    case 'NUMBER':
      return /^-?\d{1,15}(\.\d{1,10})?$/.test(value) ? null : 'a number such as 1234.5';
    case 'BOOLEAN':
      return value === 'true' || value === 'false' ? null : 'true or false';
    case 'DATE':
      return z.iso.date().safeParse(value).success ? null : 'a date as YYYY-MM-DD';
    case 'DATE_TIME':
      return z.iso.datetime({ offset: true }).safeParse(value).success ? null : 'an instant as RFC 3339 with a zone';
    case 'CHOICE':
      return options.includes(value) ? null : `one of: ${options.join(', ')}`;
    default:
      return null;
  }
}

/** `request.custom_fields` as an object of texts. */
export function storedValues(stored: unknown): Record<string, string> {
  return z.record(z.string(), z.string()).safeParse(stored).data ?? {};
}

function orphan(key: string): FieldDefinition {
  return { key, label: key, type: 'TEXT', required: false, editable: false, options: [] };
}
