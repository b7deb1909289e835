import { ValidationError } from '../errors.ts';

export type ColumnChoice<Column extends string = string> = { column: Column; visible: boolean };
export type ShownColumn<Column extends string = string> = ColumnChoice<Column> & { position: number; locked: boolean };

/** Every row needs something to be told by. */
const LOCKED = 'NUMBER';

/** What is kept: the listed columns in their order, then the others as they stood. An empty list resets. */
export function mergeColumns<Column extends string>(
  listed: readonly ColumnChoice<Column>[],
  kept: unknown,
  known: readonly Column[],
): ColumnChoice<Column>[] {
  if (listed.length === 0) return [];
  const named = new Set(listed.map(({ column }) => column));
  const rest = shownColumns(kept, known).filter(({ column }) => !named.has(column));
  return [...listed, ...rest].map(({ column, visible }) => ({ column, visible }));
}

/** All columns as the table shows them; one that came with a later release is hidden at the end. */
export function shownColumns<Column extends string>(kept: unknown, known: readonly Column[]): ShownColumn<Column>[] {
  const chosen = choicesIn(kept, known);
  const isDefault = chosen.length === 0;
  const named = new Set(chosen.map(({ column }) => column));
  const rest = known.filter((column) => !named.has(column)).map((column) => ({ column, visible: isDefault }));
  return [...chosen, ...rest].map(({ column, visible }, position) => ({
    column,
    visible: visible || column === LOCKED,
    position,
    locked: column === LOCKED,
  }));
}

export function checkColumns(listed: readonly ColumnChoice[]): ValidationError[] {
  const problems: ValidationError[] = [];
  const seen = new Set<string>();
  for (const [index, { column, visible }] of listed.entries()) {
    const refuse = (rule: string, message: string) =>
      void problems.push(new ValidationError(rule, message, ['input', 'columns', String(index)]));
    if (column === LOCKED && !visible) refuse('LOCKED', 'The number cannot be hidden.');
    if (seen.has(column)) refuse('DUPLICATE', `${column} is listed twice.`);
    seen.add(column);
  }
  return problems;
}

/** Written by us, though perhaps by a release that knew other columns. */
function choicesIn<Column extends string>(kept: unknown, known: readonly Column[]): ColumnChoice<Column>[] {
  if (!Array.isArray(kept)) return [];
  return (kept as ColumnChoice<Column>[]).filter(({ column }) => known.includes(column));
}
