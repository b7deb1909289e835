/** Names of columns in TypeScript with their names and types in PostgreSQL, e.g. { lastSequence: ['last_sequence', 'integer'] }. */
export type Columns = Record<string, readonly [column: string, type: string]>;

/** `c.last_sequence AS "lastSequence", …` */
export function selectList(columns: Columns, table: string): string {
  return Object.entries(columns)
    .map(([name, [column]]) => `${table}.${column} AS "${name}"`)
    .join(', ');
}

/** `json_to_recordset($1) AS n ("lastSequence" integer, …)`: one parameter whatever the number of rows. */
export function recordset(columns: Columns, parameter: string, alias: string): string {
  const definitions = Object.entries(columns).map(([name, [, type]]) => `"${name}" ${type}`);
  return `json_to_recordset(${parameter}::json) AS ${alias} (${definitions.join(', ')})`;
}

/**
 * The rows for `recordset`. What is null is left out, which PostgreSQL reads as null: most of a message is, and the names
 * of its columns were half of what was written, sent and parsed.
 */
export function recordsOf(columns: Columns, rows: readonly Record<string, unknown>[]): string {
  const names = Object.keys(columns);
  return JSON.stringify(
    rows.map((row) => {
      const record: Record<string, unknown> = {};
      for (const name of names) if (row[name] !== null) record[name] = row[name];
      return record;
    }),
  );
}

/** `last_sequence = n."lastSequence", …` for every column but the key. */
export function assignments(columns: Columns, alias: string, except: readonly string[] = ['id']): string {
  return Object.entries(columns)
    .filter(([name]) => !except.includes(name))
    .map(([name, [column]]) => `${column} = ${alias}."${name}"`)
    .join(', ');
}

/** `(id, last_sequence) SELECT n.id, n."lastSequence"`: the middle of an INSERT. */
export function insertion(columns: Columns, alias: string): string {
  const targets = Object.values(columns).map(([column]) => column);
  const sources = Object.keys(columns).map((name) => `${alias}."${name}"`);
  return `(${targets.join(', ')}) SELECT ${sources.join(', ')}`;
}
