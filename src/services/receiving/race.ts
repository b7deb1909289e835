/** Somebody else stored the same thing first: the transaction runs again and finds it. */
export function lostRace(what: string): Error {
  // 40001 is what `transaction` repeats.
  return Object.assign(new Error(`another writer stored this ${what} first`), { code: '40001' });
}
