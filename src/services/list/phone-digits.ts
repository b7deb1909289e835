const PHONE_LIKE = /^[+(]*\d[\d().\p{Pd}/]*$/u;

/** The digits of a text that may be a phone number or a part of one, without + and 00; null for any other text. */
export function phoneDigits(text: string): string | null {
  const written = text.replace(/[\s\p{Bidi_C}]/gu, '');
  if (!PHONE_LIKE.test(written)) return null;
  return written.replace(/\D/g, '').replace(/^00/, '') || null;
}

/** Whether a word may stand somewhere in a phone number, though it be no more than its 00, its + or a dash. */
export function isPhonePart(word: string): boolean {
  return /^[+\d().\p{Pd}/]+$/u.test(word);
}
