import fc from 'fast-check';
import { expect, it } from 'vitest';
import { utf8 } from '../src/transport/utf8.ts';

it('JSON is written as Buffer.from writes it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const json = JSON.stringify(text);
      expect(utf8(json).equals(Buffer.from(json))).toBe(true);
    }),
  );
});

it.each(['', 'plain', 'Žluťoučký kůň', '🙏', '\ud83d', 'ž'.repeat(2_000_000)])('so is %.20j', (text) => {
  const json = JSON.stringify(text);
  expect(utf8(json).equals(Buffer.from(json))).toBe(true);
});
