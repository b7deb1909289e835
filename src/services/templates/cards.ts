import type { TemplatePart } from './parts.ts';

const MAX_CARDS = 10;

/** Product cards are defined once or twice and sent as often as there are products: the given keys say how many. */
export function withGivenCards(parts: readonly TemplatePart[], keys: readonly string[]): TemplatePart[] {
  const numbers = keys.map((key) => Number(/^card\.(\d+)\./.exec(key)?.[1] ?? -1));
  const wanted = Math.min(MAX_CARDS, Math.max(-1, ...numbers) + 1);
  return parts.map((part) => (showsProducts(part) ? { ...part, cards: stretched(part.cards, wanted) } : part));
}

function showsProducts({ type, cards }: TemplatePart): boolean {
  return type === 'CAROUSEL' && cards.some((card) => card.some(({ format }) => format === 'PRODUCT'));
}

function stretched(cards: TemplatePart[][], count: number): TemplatePart[][] {
  const [first] = cards;
  return first && count > cards.length
    ? [...cards, ...Array.from({ length: count - cards.length }, () => first)]
    : cards;
}
