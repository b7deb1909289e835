import type { ErasedPerson } from '../../db/statements/erasure.ts';
import { spellingsOf } from '../phone-numbers.ts';

const MIN_LENGTH = 6;

/** What names this person in what Meta sends: numbers as digits in every spelling, business-scoped ids, groups. */
export function identifiersOf(people: readonly ErasedPerson[]): string[] {
  const all = people.flatMap(({ waId, userId, groupId, phoneNumber, previousPhoneNumbers, formerIds }) => [
    userId,
    groupId,
    ...[waId, phoneNumber, ...previousPhoneNumbers, ...formerIds].flatMap((id) => (id ? spellingsOf(id) : [])),
  ]);
  return [...new Set(all.flatMap((identifier) => identifier ?? []))].filter(({ length }) => length >= MIN_LENGTH);
}

/** A regular expression that PostgreSQL and JavaScript read alike: the identifier, and not a part of a longer one. */
export function patternOf(identifiers: readonly string[]): string {
  const alternatives = identifiers.map((identifier) => identifier.replace(/[^A-Za-z0-9]/g, '\\$&'));
  return `(^|[^A-Za-z0-9])(${alternatives.join('|')})($|[^A-Za-z0-9])`;
}
