import { ValidationError } from '../errors.ts';
import { normalisePhoneNumber } from './phone-numbers.ts';

export type NumberInput = { phoneNumberId: string; phoneNumber: string };

/** Left out: unchanged; null: cleared, where that is allowed. */
export type SettingsInput = {
  expectedVersion: number;
  whatsappBusinessAccountId?: string | null | undefined;
  accessToken?: string | null | undefined;
  webhookToken?: string | null | undefined;
  appSecret?: string | null | undefined;
  primaryNumber?: NumberInput | null | undefined;
  secondaryNumber?: NumberInput | null | undefined;
  timeZone?: string | null | undefined;
  windowWarningMinutes?: number | null | undefined;
};

export const secretNames = ['accessToken', 'webhookToken', 'appSecret'] as const;
export type SecretName = (typeof secretNames)[number];

const MIN_WEBHOOK_TOKEN = 16;
const MAX_SECRET = 4_096;
const MAX_WARNING_MINUTES = 24 * 60 - 1;

// They travel in a header of HTTP.
const ONE_WORD = /^[\x21-\x7e]+$/;
// Meta sends it back in a query, so blanks survive.
const ONE_LINE = /^[\x20-\x7e]+$/;

/** The input with blanks trimmed and numbers in E.164, and everything that is wrong with it, each with its path. */
export function checkSettings(
  input: SettingsInput,
  metaId: RegExp,
): { clean: SettingsInput; errors: ValidationError[] } {
  const errors: ValidationError[] = [];
  const clean: SettingsInput = { ...input };
  if (input.whatsappBusinessAccountId != null)
    clean.whatsappBusinessAccountId = checkMetaId(input.whatsappBusinessAccountId, ['whatsappBusinessAccountId']);
  for (const name of secretNames) if (input[name] != null) clean[name] = checkSecret(name, input[name]);
  if (input.primaryNumber === null)
    refuse('REQUIRED', 'The first number can be replaced, not removed.', ['primaryNumber']);
  if (input.primaryNumber) clean.primaryNumber = checkNumber(input.primaryNumber, 'primaryNumber');
  if (input.secondaryNumber) clean.secondaryNumber = checkNumber(input.secondaryNumber, 'secondaryNumber');
  if (input.timeZone === null) refuse('REQUIRED', 'The time zone cannot be empty.', ['timeZone']);
  checkWarning(input.windowWarningMinutes);
  return { clean, errors };

  function refuse(rule: string, message: string, path: string[]): void {
    errors.push(new ValidationError(rule, message, ['input', ...path]));
  }

  function checkMetaId(text: string, path: string[]): string {
    const id = text.trim();
    if (!metaId.test(id))
      refuse(
        'META_ID',
        "This is not an identifier of Meta's: digits only, 15 unless the server is set up otherwise.",
        path,
      );
    return id;
  }

  function checkSecret(name: SecretName, text: string): string {
    const secret = text.trim();
    const pattern = name === 'webhookToken' ? ONE_LINE : ONE_WORD;
    if (secret === '') refuse('BLANK', 'Leave it out to keep the present one.', [name]);
    else if (secret.length > MAX_SECRET) refuse('TOO_LONG', `It has at most ${MAX_SECRET} characters.`, [name]);
    else if (!pattern.test(secret)) refuse('INVALID_CHARACTERS', 'It holds a character that it cannot have.', [name]);
    else if (name === 'webhookToken' && secret.length < MIN_WEBHOOK_TOKEN)
      refuse('TOO_SHORT', `It has at least ${MIN_WEBHOOK_TOKEN} characters.`, [name]);
    return secret;
  }

  function checkNumber(number: NumberInput, slot: 'primaryNumber' | 'secondaryNumber'): NumberInput {
    const phoneNumberId = checkMetaId(number.phoneNumberId, [slot, 'phoneNumberId']);
    const normalised = normalisePhoneNumber(number.phoneNumber);
    if (normalised.ok) return { phoneNumberId, phoneNumber: normalised.value };
    refuse(normalised.rule, normalised.message, [slot, 'phoneNumber']);
    return { phoneNumberId, phoneNumber: number.phoneNumber };
  }

  function checkWarning(minutes: number | null | undefined): void {
    if (minutes === undefined) return;
    if (minutes === null) return refuse('REQUIRED', 'The warning time cannot be empty.', ['windowWarningMinutes']);
    if (minutes < 1 || minutes > MAX_WARNING_MINUTES)
      refuse('OUT_OF_RANGE', `It is from 1 to ${MAX_WARNING_MINUTES} minutes.`, ['windowWarningMinutes']);
  }
}
