/** The sort values of a row: what a cursor carries. */
export type KeysetPosition = readonly (string | number | null)[];

/** One page, read in either direction from a keyset position. */
export type PageRequest = { size: number; forward: boolean; position: KeysetPosition | null };
