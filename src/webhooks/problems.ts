import type { ProviderProblem } from '../services/receiving/items.ts';
import { asNumber, asObject, asText, firstText } from './lenient.ts';

const MAX_CODE = 2 ** 31 - 1;

/** Meta's error as it stands in `errors[]`; null where it is none. */
export function readProblem(value: unknown): ProviderProblem | null {
  const error = asObject(value);
  if (!error) return null;
  const title = firstText(error.title, error.message) ?? 'Unknown error';
  const message = asText(error.message);
  const told = firstText(asObject(error.error_data)?.details, error.details);
  return { code: codeOf(error.code), title, detail: told ?? (message === title ? null : message) };
}

/** The column holds whole numbers of 32 bits. */
function codeOf(value: unknown): number | null {
  const code = asNumber(value);
  return code !== null && Number.isInteger(code) && Math.abs(code) <= MAX_CODE ? code : null;
}
