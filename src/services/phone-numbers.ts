export type PhoneNumberRule =
  | 'NOT_DIGITS'
  | 'MISSING_PREFIX'
  | 'UNKNOWN_COUNTRY'
  | 'WRONG_LENGTH'
  | 'TOO_SHORT'
  | 'TOO_LONG';

export type Normalised = { ok: true; value: string } | { ok: false; rule: PhoneNumberRule; message: string };

const NINE_DIGITS = /^\+42[01]/;

// \p{Cf}: numbers copied from a contact card come between invisible direction marks. U+2212 is the minus sign.
const SEPARATORS = /[\s\p{Pd}\p{Cf}\u2212().]/gu;

/** E.164 of what people type: blanks, dashes, brackets, dots and a leading 00 are taken; a missing prefix is not guessed. */
export function normalisePhoneNumber(input: string): Normalised {
  const compact = input.replace(SEPARATORS, '').replace(/^00/, '+');
  if (!/^\+?[0-9]+$/.test(compact)) return refuse('NOT_DIGITS', 'A phone number has only digits after its +.');
  if (!compact.startsWith('+')) return refuse('MISSING_PREFIX', 'Begin with + and the country code, e.g. +420.');
  if (compact.startsWith('+0')) return refuse('UNKNOWN_COUNTRY', 'No country code begins with 0.');
  const digits = compact.length - 1;
  if (NINE_DIGITS.test(compact) && digits !== 12) {
    return refuse('WRONG_LENGTH', 'After +420 and +421 come exactly 9 digits.');
  }
  if (digits < 8) return refuse('TOO_SHORT', 'A phone number has at least 8 digits.');
  if (digits > 15) return refuse('TOO_LONG', 'A phone number has at most 15 digits.');
  return { ok: true, value: compact };
}

function refuse(rule: PhoneNumberRule, message: string): Normalised {
  return { ok: false, rule, message };
}

/**
 * The same for every spelling of one number that WhatsApp uses: Brazil with and without the mobile 9, Mexico with and
 * without 1, Argentina with and without 9. For comparing only; the id to answer to stays as Meta wrote it.
 */
export function comparisonKey(waId: string): string {
  const digits = waId.startsWith('+') ? waId.slice(1) : waId;
  if (digits.length !== 13 || !digits.startsWith('5')) return digits;
  const brazil = /^55(\d{2})9(\d{8})$/.exec(digits);
  if (brazil) return `55${brazil[1]}${brazil[2]}`;
  const mexico = /^521(\d{10})$/.exec(digits);
  if (mexico) return `52${mexico[1]}`;
  const argentina = /^549(\d{10})$/.exec(digits);
  return argentina ? `54${argentina[1]}` : digits;
}

/** Every spelling that has the comparison key of this one. */
export function spellingsOf(waId: string): string[] {
  const key = comparisonKey(waId);
  const brazil = /^55(\d{2})(\d{8})$/.exec(key);
  if (brazil) return [key, `55${brazil[1]}9${brazil[2]}`];
  const mexico = /^52(\d{10})$/.exec(key);
  if (mexico) return [key, `521${mexico[1]}`];
  const argentina = /^54(\d{10})$/.exec(key);
  return argentina ? [key, `549${argentina[1]}`] : [key];
}

/** E.164 of Meta's digits, or null where they cannot be a number. */
export function phoneNumberOfWaId(waId: string): string | null {
  const digits = waId.startsWith('+') ? waId.slice(1) : waId;
  return /^[1-9]\d{6,14}$/.test(digits) ? `+${digits}` : null;
}
