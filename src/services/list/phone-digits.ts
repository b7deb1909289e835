const PHONE_LIKE = /^[+(]*\d[\d().\-/]*$/;

/** The digits of a word that may be a phone number or a part of one, without + and 00; null for any other word. */
export function phoneDigits(word: string): string | null {
  if (!PHONE_LIKE.test(word)) return null;
  return word.replace(/\D/g, '').replace(/^00/, '') || null;
}
