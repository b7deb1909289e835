import { findAddressee, type Addressee } from '../db/statements/addressee.ts';
import type { Transaction } from '../db/transaction.ts';
import { Failure, ValidationError } from '../errors.ts';

/** Refuses what could never be sent: a number that was replaced, a customer without any id. */
export async function requireAddressee(tx: Transaction, conversationId: string): Promise<Addressee> {
  const addressee = await findAddressee(tx, conversationId);
  if (!addressee) throw new Error('a conversation has neither number nor participant');
  if (!addressee.isNumberActive)
    throw refused('NUMBER_REPLACED', 'The business number of this conversation is no longer in use.');
  if (addressee.waId === null && addressee.userId === null)
    throw refused('NO_RECIPIENT', 'This customer has neither a number nor a user id to write to.');
  return addressee;
}

function refused(rule: string, message: string): Failure {
  return new Failure(new ValidationError(rule, message, ['input', 'conversationId']));
}
