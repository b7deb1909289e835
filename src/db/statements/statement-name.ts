const MAX_NAMES = 256;
const names = new Map<string, string>();

/**
 * A name under which each connection prepares this text once, which halves its cost. For texts of which there are few:
 * their number is bounded all the same, and those beyond are sent without a name. A text with values of which PostgreSQL
 * makes a better plan when it sees them had better have no name.
 */
export function statementName(text: string): string | undefined {
  const known = names.get(text);
  if (known || names.size >= MAX_NAMES) return known;
  const name = `s${names.size}`;
  names.set(text, name);
  return name;
}
