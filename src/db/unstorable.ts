import { sqlState } from './transaction.ts';

// character_not_in_repertoire, untranslatable_character: no text of PostgreSQL holds U+0000.
const STATES = new Set(['22021', '22P05']);

/** True where the database was given a text that it cannot hold: nothing was changed, and who sent it can mend it. */
export function isUnstorable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // Prisma has codes of its own and tells the state in its sentence alone.
  return STATES.has(/Code: `(\w{5})`/.exec(error.message)?.[1] ?? sqlState(error) ?? '');
}
