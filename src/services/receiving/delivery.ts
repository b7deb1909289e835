import type { Item } from './items.ts';

/** One POST of Meta's, taken apart. */
export type Delivery = {
  id: string;
  receivedAt: Date;
  body: Buffer;
  items: Item[];
  attempts: number;
  /** Signed by Meta's secret and yet not readable: why. It is kept and never applied. */
  rejected?: string;
};

/** The configured business numbers by Meta's phone number id. */
export type Numbers = ReadonlyMap<string, string>;

/** `receivedAt` is our clock, UTC. */
export type ReceivedItem = { item: Item; receivedAt: Date };
