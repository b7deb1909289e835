import { ValidationError } from '../errors.ts';
import type { BusinessNumber } from '../generated/prisma/client.ts';
import type { NumberInput, SettingsInput } from './settings-input.ts';

export type Slots = { 1: NumberInput | null; 2: NumberInput | null };

/** Which numbers hold the two slots after the change; what the input leaves out stays. */
export function plannedSlots(present: readonly BusinessNumber[], input: SettingsInput): Slots {
  const held = (slot: number) => present.find((number) => number.slot === slot) ?? null;
  return {
    1: input.primaryNumber ?? held(1),
    2: input.secondaryNumber === undefined ? held(2) : input.secondaryNumber,
  };
}

/** The two must differ in number and in id. */
export function checkSlots(slots: Slots, input: SettingsInput): ValidationError[] {
  const { 1: first, 2: second } = slots;
  const isTouched = Boolean(input.primaryNumber) || Boolean(input.secondaryNumber);
  if (!isTouched || !first || !second) return [];
  const slot = input.secondaryNumber ? 'secondaryNumber' : 'primaryNumber';
  return (['phoneNumberId', 'phoneNumber'] as const)
    .filter((field) => first[field] === second[field])
    .map((field) => new ValidationError('NOT_DIFFERENT', 'The two numbers must differ.', ['input', slot, field]));
}
