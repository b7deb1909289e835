import { badInput, Refusal } from '../errors.ts';

const MAX_VARIABLE_DEPTH = 32;
const MAX_VARIABLE_VALUES = 10_000;

/**
 * Coercion walks variables by recursion: what is nested beyond reason must not get there. Nor a text that is half a
 * character: the database holds none, and two of them would be kept as the same. In documents the parser refuses it.
 */
export function checkVariables(variables: Record<string, unknown>): void {
  let level: unknown[] = [variables];
  let values = 0;
  let areTexts = true;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_VARIABLE_DEPTH) throw refused(`are nested more than ${MAX_VARIABLE_DEPTH} levels deep`);
    values += level.length;
    if (values > MAX_VARIABLE_VALUES) throw refused(`hold more than ${MAX_VARIABLE_VALUES} values`);
    areTexts &&= !level.some(isHalfText);
    level = level.flatMap((value) => (isObject(value) ? Object.values(value) : []));
  }
  if (areTexts) return;
  const place = placeOf(variables)?.join('.');
  throw badInput(`${place} holds half a character (a surrogate without its other half), which is no text.`, place);
}

function isHalfText(value: unknown): boolean {
  return typeof value === 'string' && !value.isWellFormed();
}

/** Where the first text stands that is none. */
function placeOf(value: unknown): string[] | null {
  if (isHalfText(value)) return [];
  if (!isObject(value)) return null;
  for (const [key, child] of Object.entries(value)) {
    const place = placeOf(child);
    if (place) return [key, ...place];
  }
  return null;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function refused(how: string): Refusal {
  return new Refusal('COMPLEXITY_LIMIT', `The variables ${how}.`, { limit: 'variables' });
}
