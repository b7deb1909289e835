import type { TemplatePart } from './parts.ts';
import { fillPlaceholders } from './placeholders.ts';

export type RenderedTemplate = { header: string | null; body: string; footer: string | null };

/** The texts as the customer sees them; placeholders without a value stay. A file in the header is no text. */
export function renderTemplate(
  parts: readonly TemplatePart[],
  valueOf: (key: string) => string | null,
): RenderedTemplate {
  const text = (type: TemplatePart['type']): string | null => {
    const part = parts.find((one) => one.type === type);
    if (part?.text == null) return null;
    return fillPlaceholders(part.text, (name) => valueOf(`${type.toLowerCase()}.${name}`));
  };
  return { header: text('HEADER'), body: text('BODY') ?? '', footer: text('FOOTER') };
}
