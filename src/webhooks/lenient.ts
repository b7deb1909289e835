/** Readers for what Meta's JSON may hold: they take what they can and never throw. */

export type Json = Record<string, unknown>;

export function asObject(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

/** A list, or an object with numeric keys in its place. */
export function asList(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  const object = asObject(value);
  if (!object) return [];
  const keys = Object.keys(object);
  return keys.length > 0 && keys.every((key) => /^\d+$/.test(key)) ? Object.values(object) : [];
}

/** Text, or a number as text; null where there is nothing. */
export function asText(value: unknown): string | null {
  if (typeof value === 'string') return value === '' ? null : clean(value);
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : null;
}

export function asNumber(value: unknown): number | null {
  if (typeof value === 'string' && value.trim() === '') return null;
  const number = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : null;
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

/** Seconds since 1970 as text or number; null where no date can be made of it. */
export function asInstant(value: unknown): Date | null {
  const seconds = asNumber(value);
  if (seconds === null || seconds < 0 || seconds > LATEST_SECONDS) return null;
  return new Date(Math.floor(seconds) * 1000);
}

const UNSTORABLE = /\0/;

/** PostgreSQL keeps neither NUL nor lone surrogates. */
export function clean(text: string): string {
  if (!UNSTORABLE.test(text) && text.isWellFormed()) return text;
  return text.replaceAll('\0', '').toWellFormed();
}

export function isUnclean(value: unknown): boolean {
  return typeof value === 'string' && clean(value) !== value;
}
