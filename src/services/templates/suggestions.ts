import type { TemplateVariable } from './variables.ts';
import type { TemplatePart } from './parts.ts';

export type SuggestionSource = {
  profileName: string | null;
  phoneNumber: string | null;
  timeZone: string;
  language: string;
  now: Date;
};

type Meaning = 'first-name' | 'name' | 'date' | 'phone';

const names: readonly [RegExp, Meaning][] = [
  [/(^|_)(first_?name|krestni_jmeno|given_name)($|_)/, 'first-name'],
  [/(^|_)(name|full_?name|customer|client|user|user_?name|jmeno|zakaznik)($|_)/, 'name'],
  [/(^|_)(date|today|datum|dnes)($|_)/, 'date'],
  [/(^|_)(phone|telefon|phone_number)($|_)/, 'phone'],
];

/** Of a numbered placeholder only what stands before it tells what it means. */
const leads: readonly [RegExp, Meaning][] = [
  [/(dobrý den|hello|hi|hey|dear|ahoj|milý|milá|vážený|vážená|hola|olá|hallo|bonjour)[\s,*_]*$/iu, 'name'],
  [/(^|\s)(dne|dnes|on|date|datum)[\s:*_]*$/iu, 'date'],
];

/** What the value probably is: the customer's name or number, or today. Null where nothing is known. */
export function suggestValue(
  variable: Pick<TemplateVariable, 'name' | 'type' | 'component'>,
  parts: readonly TemplatePart[],
  source: SuggestionSource,
): string | null {
  if (variable.type !== 'TEXT') return null;
  const meaning = /^\d+$/.test(variable.name) ? meaningByPlace(variable, parts) : meaningByName(variable.name);
  return meaning && valueOf(meaning, source);
}

function meaningByName(name: string): Meaning | null {
  return names.find(([pattern]) => pattern.test(name))?.[1] ?? null;
}

function meaningByPlace(
  { name, component }: Pick<TemplateVariable, 'name' | 'component'>,
  parts: readonly TemplatePart[],
) {
  const text = parts.find((part) => part.type === component)?.text ?? '';
  const before = text.slice(0, text.search(new RegExp(String.raw`\{\{\s*${name}\s*\}\}`)));
  return leads.find(([pattern]) => pattern.test(before))?.[1] ?? null;
}

function valueOf(meaning: Meaning, source: SuggestionSource): string | null {
  const fullName = source.profileName?.replaceAll(/\s+/g, ' ').trim() || null;
  switch (meaning) {
    case 'first-name':
      return fullName?.split(' ')[0] ?? null;
    case 'name':
      return fullName;
    case 'phone':
      return source.phoneNumber;
    case 'date':
      return dateIn(source);
  }
}

function dateIn({ language, timeZone, now }: SuggestionSource): string {
  const [locale] = Intl.DateTimeFormat.supportedLocalesOf([language.replaceAll('_', '-')]);
  return new Intl.DateTimeFormat(locale ?? 'en', { dateStyle: 'medium', timeZone }).format(now);
}
