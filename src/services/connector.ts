import type { Transaction } from '../db/transaction.ts';

/**
 * Who else keeps requests. It is told in the transaction of every change and may do nothing but note it there:
 * no request waits for another system, and none is lost because of it.
 */
export type RequestConnector = {
  /** Whose changes these are, for the log. */
  readonly name: string;
  requestChanged(tx: Transaction, requestId: string): Promise<void>;
};

/** Requests live here alone. */
export const builtInStore: RequestConnector = { name: 'built-in', requestChanged: () => Promise.resolve() };
