/** Readers for what Meta's JSON may hold: they take what they can and never throw. */

export type Json = Record<string, unknown>;

export function asObject(value: unknown): Json | null {
  // What JSON calls an object has nothing but text keys.
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

/** A list, or an object with numeric keys in its place. */
export function asList(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  const object = asObject(value);
  return object && hasOnlyNumericKeys(object) ? Object.values(object) : [];
}

/** As `asList`, but whatever else stands where a list should be counts as its one element, so that nothing gets lost. */
export function asElements(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  const object = asObject(value);
  return object && hasOnlyNumericKeys(object) ? Object.values(object) : [value];
}

function hasOnlyNumericKeys(object: Json): boolean {
  return Object.keys(object).every((key) => /^\d+$/.test(key));
}

/** Text, or a number as text; null where there is nothing. */
export function asText(value: unknown): string | null {
  if (typeof value === 'string') return clean(value) || null;
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : null;
}

export function asNumber(value: unknown): number | null {
  if (typeof value === 'string' && value.trim() === '') return null;
  const number = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : null;
}

export function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}

/** First of the texts that is there. */
export function firstText(...values: unknown[]): string | null {
  for (const value of values) {
    const text = asText(value);
    if (text !== null) return text;
  }
  return null;
}

const LATEST_SECONDS = 253_402_300_799;

/** From 2001 to 2286; as seconds they would be far beyond all calendars. */
function isMilliseconds(number: number): boolean {
  return number >= 1e12 && number < 1e13;
}

/** Seconds since 1970, or milliseconds, as text or number; null where no date can be made of it. */
export function asInstant(value: unknown): Date | null {
  const number = asNumber(value);
  if (number === null || number < 0) return null;
  const seconds = Math.floor(isMilliseconds(number) ? number / 1000 : number);
  return seconds > LATEST_SECONDS ? null : new Date(seconds * 1000);
}

let cleanings = 0;

/** How many texts were cleaned so far: the difference tells whether any text of an element was. */
export function cleaningsSoFar(): number {
  return cleanings;
}

/** PostgreSQL keeps neither NUL nor lone surrogates. */
export function clean(text: string): string {
  if (!text.includes('\0') && text.isWellFormed()) return text;
  cleanings += 1;
  return text.replaceAll('\0', '').replace(/\p{Surrogate}/gu, '');
}
