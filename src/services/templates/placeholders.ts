const PLACEHOLDER = /\{\{\s*([^{}]+?)\s*\}\}/g;

/** Distinct names in the order in which they first stand in the text. */
export function placeholders(text: string): string[] {
  return [...new Set([...text.matchAll(PLACEHOLDER)].map(([, name = '']) => metaName(name)))];
}

/** Fills every placeholder in one pass, so that a value that looks like one is not filled again. */
export function fillPlaceholders(text: string, valueOf: (name: string) => string | null): string {
  return text.replaceAll(PLACEHOLDER, (whole, name: string) => valueOf(metaName(name)) ?? whole);
}

export function hasPlaceholder(text: string): boolean {
  return text.search(PLACEHOLDER) >= 0;
}

/** Meta knows lower-case letters, digits and underscores; people write `{{ Uživatelské jméno }}`. */
export function metaName(name: string): string {
  return name.trim().normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase().replaceAll(/\s+/g, '_');
}
