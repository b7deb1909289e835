import type pg from 'pg';
import type { Template } from '../../generated/prisma/client.ts';
import type { PageRequest } from '../keyset.ts';
import { modelColumns } from '../models.ts';

/** Null: not asked for. `name` is folded. */
export type TemplateFilter = {
  statuses: string[] | null;
  languages: string[] | null;
  categories: string[] | null;
  kinds: string[] | null;
  name: { match: 'CONTAINS' | 'NOT_CONTAINS' | 'EQUALS' | 'NOT_EQUALS' | 'STARTS_WITH'; value: string } | null;
};

// Used last comes first; then by name. All ascending, so that one row comparison serves paging.
const keys = ['template_use_rank(t.last_used_at)', 't.name', 't.language', 't.id'];

const where = `($1::"TemplateStatus"[] IS NULL OR t.status = ANY($1))
    AND ($2::text[] IS NULL OR t.language = ANY($2))
    AND ($3::"TemplateCategory"[] IS NULL OR t.category = ANY($3))
    AND ($4::"TemplateKind"[] IS NULL OR t.kind = ANY($4))
    AND CASE $5::text
      WHEN 'CONTAINS' THEN strpos(lower(t.name), $6) > 0
      WHEN 'NOT_CONTAINS' THEN strpos(lower(t.name), $6) = 0
      WHEN 'EQUALS' THEN lower(t.name) = $6
      WHEN 'NOT_EQUALS' THEN lower(t.name) <> $6
      WHEN 'STARTS_WITH' THEN starts_with(lower(t.name), $6)
      ELSE true END`;

export type TemplateListRow = Template & { rank: number };

/** A page of the templates by recent use. An account has at most 6,000 of them. */
export async function findTemplatePage(
  pool: pg.Pool,
  filter: TemplateFilter,
  page: PageRequest,
): Promise<TemplateListRow[]> {
  const [direction, compare] = page.forward ? ['ASC', '>'] : ['DESC', '<'];
  const after = page.position ? `AND (${keys.join(', ')}) ${compare} ($7::float8, $8::text, $9::text, $10::uuid)` : '';
  const text = `SELECT ${modelColumns('Template', 't')}, ${keys[0]} AS rank FROM template t WHERE ${where} ${after}
    ORDER BY ${keys.map((key) => `${key} ${direction}`).join(', ')} LIMIT ${page.size + 1}`;
  const values = [...valuesOf(filter), ...(page.position ?? [])];
  return (await pool.query<TemplateListRow>(text, values)).rows;
}

export async function countTemplates(pool: pg.Pool, filter: TemplateFilter): Promise<number> {
  const text = `SELECT count(*) AS count FROM template t WHERE ${where}`;
  return (await pool.query<{ count: number }>(text, valuesOf(filter))).rows[0]?.count ?? 0;
}

function valuesOf({ statuses, languages, categories, kinds, name }: TemplateFilter): unknown[] {
  return [statuses, languages, categories, kinds, name?.match ?? null, name?.value ?? ''];
}
