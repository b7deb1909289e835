import fc from 'fast-check';
import { at, placesIn, type Element } from './elements.ts';

/** JSON at its worst. */
export function nastyValue(): fc.Arbitrary<unknown> {
  return fc.oneof(
    fc.constantFrom<unknown>(
      null,
      true,
      '',
      '\0',
      '\ud83d',
      'a\0b\udc00c',
      0,
      -1,
      1e308,
      1e15,
      '1e999',
      'NaN',
      '__proto__',
      [],
      {},
    ),
    fc.constantFrom<unknown>(
      { 0: { id: 'x' } },
      { id: {}, from: [] },
      [[null]],
      'x'.repeat(600),
      '99999999999999',
      'toString',
    ),
    fc.jsonValue({ maxDepth: 2 }),
  );
}

/** Puts the values at places of the tree; the numbers choose which. */
export function mutated(body: unknown, cuts: [place: number, value: unknown][], below?: string): unknown {
  const root = { body: structuredClone(below === undefined ? body : at(body, below)) };
  for (const [place, value] of cuts) {
    const all = everyPlaceIn(root);
    const chosen = all[place % all.length];
    if (chosen) chosen.list[chosen.index] = structuredClone(value);
  }
  return root.body;
}

function everyPlaceIn(value: unknown): Element[] {
  return placesIn(value).flatMap((place) => [place, ...everyPlaceIn(place.list[place.index])]);
}
