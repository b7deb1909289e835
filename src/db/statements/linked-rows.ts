import type { QueryResultRow } from 'pg';
import { columnSql, modelFields, type LoadedModel, type WantedRows } from '../models.ts';

/** A row that another one names, read by the same statement; `join` calls its table by the name of the link. */
export type Link = { name: string; model: LoadedModel; join: string };

export type RowShape = {
  /** The list of a SELECT. */
  select: string;
  joins: string;
  /** Makes rows with the rows that are linked to them out of flat ones. */
  nest: (rows: QueryResultRow[]) => void;
};

/** Where something of a link is wanted it is joined: a round trip of its own costs more than its rows. */
export function rowShape(
  { model, table, always }: { model: LoadedModel; table: string; always: readonly string[] },
  links: readonly Link[],
  { columns, linked }: WantedRows,
): RowShape {
  const own = modelFields(model, columns && new Set([...columns, ...always]));
  const parts = links.flatMap((link) => {
    const wanted = linked.get(link.name);
    return wanted ? [{ ...link, columns: linkedColumns(link, wanted) }] : [];
  });
  const select = [
    ...own.map((field) => `${columnSql(model, table, field)} AS "${field}"`),
    ...parts.flatMap((part) => part.columns.map(({ sql, alias }) => `${sql} AS "${alias}"`)),
  ];
  return {
    select: select.join(', '),
    joins: parts.map(({ join }) => join).join(' '),
    nest(rows) {
      for (const part of parts) for (const row of rows) row[part.name] = linkedRow(row, part);
    },
  };
}

type LinkedColumn = { field: string; alias: string; sql: string };

function linkedColumns({ name, model }: Link, { columns }: WantedRows): LinkedColumn[] {
  return modelFields(model, columns && new Set(['id', ...columns])).map((field) => ({
    field,
    alias: `${name}.${field}`,
    sql: columnSql(model, `"${name}"`, field),
  }));
}

function linkedRow(row: QueryResultRow, { name, columns }: { name: string; columns: readonly LinkedColumn[] }) {
  if (row[`${name}.id`] === null) return null;
  const linked: QueryResultRow = {};
  for (const { field, alias } of columns) linked[field] = row[alias];
  return linked;
}
