import { z } from 'zod';
import type { TemplateCategory } from '../../generated/prisma/enums.ts';
import { placeholders } from './placeholders.ts';

export const partTypes = ['HEADER', 'BODY', 'FOOTER', 'BUTTONS', 'CAROUSEL', 'LIMITED_TIME_OFFER', 'UNKNOWN'] as const;

export type PartType = (typeof partTypes)[number];

export type TemplateButton = {
  /** Position among all buttons of the template, or of its card. */
  index: number;
  /** Meta's word in upper case, e.g. URL; more may come. */
  kind: string;
  text: string;
  /** With its placeholder, where it has one. */
  url: string | null;
  example: string | null;
  /** The code of an authentication template is sent a second time for it. */
  repeatsCode: boolean;
};

/** One component of a template, in one shape whatever spelling Meta's answer or page used. */
export type TemplatePart = {
  type: PartType;
  /** Of a header: TEXT, IMAGE, VIDEO, DOCUMENT, LOCATION, PRODUCT; more may come. */
  format: string | null;
  text: string | null;
  /** Example values by the name of their placeholder. */
  examples: ReadonlyMap<string, string>;
  buttons: TemplateButton[];
  cards: TemplatePart[][];
  /** Of a limited-time offer. */
  expires: boolean;
};

const word = z.string().nullish().catch(null);
const button = z.object({
  type: word,
  text: word,
  url: word,
  example: z
    .union([z.string(), z.array(z.string())])
    .nullish()
    .catch(null),
});
const component = z.object({
  type: word,
  format: word,
  text: word,
  example: z.record(z.string(), z.unknown()).nullish().catch(null),
  buttons: z.array(button).nullish().catch(null),
  cards: z
    .array(z.object({ components: z.array(z.unknown()) }))
    .nullish()
    .catch(null),
  limited_time_offer: z.object({ has_expiration: z.boolean().nullish() }).nullish().catch(null),
  add_security_recommendation: z.boolean().nullish().catch(null),
});
type Raw = z.infer<typeof component>;

/** Takes Meta's components apart; what is not known stays as UNKNOWN, so that nothing is hidden. */
export function templateParts(components: unknown, category: TemplateCategory): TemplatePart[] {
  if (!Array.isArray(components)) return [];
  return components.map((raw) => toPart(component.safeParse(raw).data, category));
}

function toPart(raw: Raw | undefined, category: TemplateCategory): TemplatePart {
  const type = partTypes.find((known) => known === raw?.type?.toUpperCase()) ?? 'UNKNOWN';
  return {
    type,
    format: raw?.format?.toUpperCase() ?? (type === 'HEADER' ? 'TEXT' : null),
    text: raw?.text ?? fixedText(raw, type),
    examples: examplesOf(raw),
    buttons: (raw?.buttons ?? []).map((one, index) => toButton(one, index, category)),
    cards: (raw?.cards ?? []).map((card) => templateParts(card.components, category)),
    expires: raw?.limited_time_offer?.has_expiration ?? false,
  };
}

/** An authentication template is made without a text: Meta writes it around the code. */
function fixedText(raw: Raw | undefined, type: PartType): string | null {
  return type === 'BODY' && raw?.add_security_recommendation != null ? '{{1}}' : null;
}

function toButton(raw: z.infer<typeof button>, index: number, category: TemplateCategory): TemplateButton {
  // A flow button comes without a type where its form was given by its definition.
  const kind = raw.type?.toUpperCase() ?? 'UNKNOWN';
  const url = raw.url ?? null;
  const example = Array.isArray(raw.example) ? (raw.example[0] ?? null) : (raw.example ?? null);
  const isDynamicUrl = kind === 'URL' && url !== null && placeholders(url).length > 0;
  const repeatsCode = kind === 'OTP' || (category === 'AUTHENTICATION' && isDynamicUrl);
  return { index, kind, text: raw.text ?? '', url, example, repeatsCode };
}

const named = z.array(z.object({ param_name: z.string(), example: z.string() }));

// Meta's pages show a list of lists, a list, and a bare text.
function examplesOf(raw: Raw | undefined): Map<string, string> {
  const examples = new Map<string, string>();
  for (const [kind, value] of Object.entries(raw?.example ?? {})) {
    if (kind === 'header_handle') continue;
    const byName = named.safeParse(value).data;
    if (byName) for (const one of byName) examples.set(one.param_name, one.example);
    else for (const [index, text] of flatTexts(value).entries()) examples.set(String(index + 1), text);
  }
  return examples;
}

function flatTexts(value: unknown): string[] {
  return [value].flat(3).filter((one) => typeof one === 'string');
}
