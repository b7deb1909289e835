export type Random = {
  /** In [0, 1). */
  next(): number;
  /** Upper-case hexadecimal digits. */
  hex(digits: number): string;
  digits(count: number): string;
};

/**
 * The same seed and stream give the same sequence. Every concern draws from its own stream, so that a fault more or less
 * does not change the ids that follow it.
 */
export function createRandom(seed: number, stream: string): Random {
  let state = Buffer.from(stream).reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), seed | 0);

  // mulberry32
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const draw = (count: number, alphabet: string): string =>
    Array.from({ length: count }, () => alphabet[Math.floor(next() * alphabet.length)]).join('');

  return { next, hex: (count) => draw(count, '0123456789ABCDEF'), digits: (count) => draw(count, '0123456789') };
}
