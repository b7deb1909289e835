import type { Company, Contact } from '../generated/prisma/client.ts';
import { comparisonKey } from './phone-numbers.ts';
import { foldText } from './preview.ts';

/** Several people may share a number: then nobody is guessed. */
export function onlyContact<C>(contacts: readonly C[]): C | null {
  return contacts.length === 1 ? (contacts[0] ?? null) : null;
}

/** What is derived from a contact and stored with it. */
export function contactKeys(contact: Pick<Contact, 'name' | 'phoneNumber' | 'email'>) {
  const { name, phoneNumber, email } = contact;
  return {
    comparisonKey: phoneNumber ? comparisonKey(phoneNumber) : null,
    searchText: [foldText(name ?? ''), phoneNumber?.replace('+', ''), foldText(email ?? '')].filter(Boolean).join(' '),
  };
}

export function companyKeys({ name }: Pick<Company, 'name'>) {
  return { searchText: foldText(name) };
}
