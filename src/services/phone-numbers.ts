export type Normalised = { ok: true; value: string } | { ok: false; rule: string; message: string };

const NINE_DIGITS = /^\+42[01]/;

/** E.164 of what people type: blanks, dashes, brackets, dots and a leading 00 are taken; a missing prefix is not guessed. */
export function normalisePhoneNumber(input: string): Normalised {
  const compact = input
    .trim()
    .replace(/[\s\-().\u00a0]/g, '')
    .replace(/^00/, '+');
  if (!/^\+?[0-9]+$/.test(compact)) return refuse('NOT_DIGITS', 'A phone number has only digits after its +.');
  if (!compact.startsWith('+')) return refuse('MISSING_PREFIX', 'Begin with + and the country code, e.g. +420.');
  const digits = compact.length - 1;
  if (compact.startsWith('+0')) return refuse('UNKNOWN_COUNTRY', 'No country code begins with 0.');
  if (NINE_DIGITS.test(compact) && digits !== 12)
    return refuse('WRONG_LENGTH', 'After +420 and +421 come exactly 9 digits.');
  if (digits < 8) return refuse('TOO_SHORT', 'A phone number has at least 8 digits.');
  if (digits > 15) return refuse('TOO_LONG', 'A phone number has at most 15 digits.');
  return { ok: true, value: compact };
}

function refuse(rule: string, message: string): Normalised {
  return { ok: false, rule, message };
}

/**
 * The same for every spelling of one number that WhatsApp uses: Brazil with and without the mobile 9, Mexico with and
 * without 1, Argentina with and without 9. For comparing only; the id to answer to stays as Meta wrote it.
 */
export function comparisonKey(waId: string): string {
  const digits = waId.replace(/^\+/, '');
  const brazil = /^55(\d{2})9(\d{8})$/.exec(digits);
  if (brazil) return `55${brazil[1]}${brazil[2]}`;
  const mexico = /^521(\d{10})$/.exec(digits);
  if (mexico) return `52${mexico[1]}`;
  const argentina = /^549(\d{10})$/.exec(digits);
  if (argentina) return `54${argentina[1]}`;
  return digits;
}

/** E.164 of Meta's digits, or null where they cannot be a number. */
export function phoneNumberOfWaId(waId: string): string | null {
  const digits = waId.replace(/^\+/, '');
  return /^[1-9]\d{6,14}$/.test(digits) ? `+${digits}` : null;
}
