import { afterEach } from 'vitest';

export type Keep = <T extends AsyncDisposable>(part: T) => T;

/** Ends what a test keeps when the test ends, the newest first. Called once at the top of a file. */
export function keepPerTest(): Keep {
  const kept: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const part of kept.splice(0).toReversed()) await part[Symbol.asyncDispose]();
  });
  return (part) => {
    kept.push(part);
    return part;
  };
}
