import type { TemplateVariable, ValueType } from './variables.ts';
import { isPossible, type ValueMeaning } from './meanings.ts';
import { hasPlaceholder, metaName } from './placeholders.ts';

export type TemplateLocation = { latitude: number; longitude: number; name: string | null; address: string | null };

/** A file as far as it matters whether it may stand in a header. */
export type GivenFile = { id: string; mimeType: string; fileName: string | null };

/** A value as the caller gave it; `file` is null where the named attachment cannot be used. */
export type GivenValue = {
  key: string;
  value: string | null;
  file: GivenFile | null | undefined;
  location: TemplateLocation | null;
  /** Of a text in the body. */
  meaning?: ValueMeaning | undefined;
};

export type FilledValue =
  | { kind: 'text'; text: string; meaning?: ValueMeaning | undefined }
  | { kind: 'file'; file: GivenFile }
  | { kind: 'location'; location: TemplateLocation };

export type FilledValues = ReadonlyMap<string, FilledValue>;

export type ValueProblems = { missing: string[]; unexpected: string[]; invalid: string[] };

const MAX_TEXT = 1_024;
const MAX_COPY_CODE = 20;
const MAX_URL_SUFFIX = 2_000;
const MAX_ACTION = 20_000;
// What Meta refuses with 132018, and what would be filled a second time or break the text.
const FORBIDDEN_IN_TEXT = /[\p{Cc}\u2028\u2029]| {5,}|\p{Surrogate}/u;

const fileTypes: Partial<Record<ValueType, RegExp>> = {
  IMAGE: /^image\/(jpeg|png)$/,
  VIDEO: /^video\/(mp4|3gpp)$/,
  DOCUMENT: /^(application|text)\//,
};

/** Every value in its place, and everything that is wrong with them, all at once. */
export function checkValues(
  variables: readonly TemplateVariable[],
  given: readonly GivenValue[],
): { filled: FilledValues; problems: ValueProblems } {
  const known = new Map(variables.map((variable) => [variable.key, variable]));
  const filled = new Map<string, FilledValue>();
  const seen = new Set<string>();
  const problems: ValueProblems = { missing: [], unexpected: [], invalid: [] };
  for (const one of given) {
    const key = keyOf(one.key);
    const variable = known.get(key);
    const value = variable && !seen.has(key) ? fill(variable, one) : null;
    if (!variable) problems.unexpected.push(one.key);
    else if (value) filled.set(key, value);
    else problems.invalid.push(one.key);
    seen.add(key);
  }
  problems.missing = variables.filter(({ key, required }) => required && !seen.has(key)).map(({ key }) => key);
  return { filled, problems };
}

export function hasProblems(problems: ValueProblems): boolean {
  return Object.values(problems).some((keys) => keys.length > 0);
}

/** Text for a preview or for the stored message. */
export function textOfValue(value: FilledValue | undefined): string | null {
  if (value?.kind === 'text') return value.text;
  if (value?.kind !== 'location') return null;
  const { latitude, longitude, name, address } = value.location;
  return [name, address, `${latitude}, ${longitude}`].filter(Boolean).join(', ');
}

/** Keys are taken as people write them: ` body.Jméno ` is `body.jmeno`. */
export function keyOf(key: string): string {
  return key.split('.').map(metaName).join('.');
}

function fill(variable: TemplateVariable, { value, file, location, meaning }: GivenValue): FilledValue | null {
  if (meaning && !(mayMeanMore(variable) && isPossible(meaning))) return null;
  const sorts = [value !== null, file !== undefined, location !== null].filter(Boolean).length;
  if (sorts !== 1) return null;
  const fileType = fileTypes[variable.type];
  if (fileType) return file && fileType.test(file.mimeType) ? { kind: 'file', file } : null;
  if (variable.type === 'LOCATION') return location && isOnEarth(location) ? { kind: 'location', location } : null;
  return value !== null && isText(variable, value) ? { kind: 'text', text: value, meaning } : null;
}

function mayMeanMore({ component, type }: TemplateVariable): boolean {
  return component === 'BODY' && type === 'TEXT';
}

function isText({ type, name }: TemplateVariable, value: string): boolean {
  if (value.trim() === '') return false;
  if (name === 'action') return value.length <= MAX_ACTION && isObject(value);
  if (FORBIDDEN_IN_TEXT.test(value) || hasPlaceholder(value)) return false;
  if (type === 'COPY_CODE') return value.length <= MAX_COPY_CODE;
  if (type === 'URL_SUFFIX') return value.length <= MAX_URL_SUFFIX;
  if (type === 'DATE_TIME') return !Number.isNaN(Date.parse(value));
  return value.length <= MAX_TEXT;
}

function isObject(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function isOnEarth({ latitude, longitude, name, address }: TemplateLocation): boolean {
  const texts = [name, address].filter((text) => text !== null);
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 && texts.every((text) => !FORBIDDEN_IN_TEXT.test(text));
}
