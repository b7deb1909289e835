import { z } from 'zod';
import { repeatableFailure, unknown } from './outcome.ts';
import type { Failed } from './outcome.ts';
import type { Called, Transport } from './transport.ts';
import type { Usage } from './usage.ts';

export type MetaTemplate = {
  id: string;
  name: string;
  language: string;
  status: string;
  category: string;
  /** POSITIONAL where Meta does not say. */
  parameterFormat: string;
  components: Record<string, unknown>[];
  qualityScore: string | null;
  rejectedReason: string | null;
  subCategory: string | null;
  previousCategory: string | null;
};

export type TemplateListing =
  | { kind: 'page'; templates: MetaTemplate[]; unreadable: number; usage: Usage | null }
  | { kind: 'last'; templates: MetaTemplate[]; unreadable: number; usage: Usage | null }
  | { kind: 'failed'; outcome: Failed };

export type TemplateQuery = { pageSize?: number; name?: string };

const fields = [
  'id,name,language,status,category,parameter_format,components',
  'quality_score,rejected_reason,sub_category,previous_category',
].join(',');
/** An account holds at most 6,000 templates: 60 pages of 100. */
const maxPages = 500;

const endless: TemplateListing = {
  kind: 'failed',
  outcome: repeatableFailure(unknown('unreadable-answer', 'The listing of templates does not end')),
};

const word = z.string().nullish().catch(null);
const template = z.object({
  id: z.coerce.string(),
  name: z.string(),
  language: z.string(),
  status: z.string(),
  category: z.string().catch('UTILITY'),
  parameter_format: word,
  components: z.array(z.record(z.string(), z.unknown())).catch([]),
  quality_score: z.object({ score: word }).nullish().catch(null),
  rejected_reason: word,
  sub_category: word,
  previous_category: word,
});
const page = z.object({
  data: z.array(z.unknown()),
  paging: z
    .object({ cursors: z.object({ after: z.string() }).optional(), next: z.string().optional() })
    .optional()
    .catch(undefined),
});

/** A listing that ends otherwise than in `last` proves nothing about the templates that it did not show. */
export async function* listTemplates(
  transport: Transport,
  businessAccountId: string,
  accessToken: string,
  { pageSize = 100, name }: TemplateQuery = {},
): AsyncGenerator<TemplateListing> {
  const path = `${encodeURIComponent(businessAccountId)}/message_templates`;
  const query = { fields, limit: String(pageSize), ...(name === undefined ? {} : { name }) };
  const seen = new Set<string>();
  let after: string | null = null;

  do {
    const request = { method: 'GET', path, query: after === null ? query : { ...query, after }, accessToken } as const;
    const called: Called<z.infer<typeof page>> = await transport.call(
      request,
      (body) => page.safeParse(body).data ?? null,
    );
    if (called.kind !== 'answered') return yield { kind: 'failed', outcome: repeatableFailure(called) };

    const next = nextCursor(called.value);
    if (next === 'lost' || (next !== null && seen.has(next.after)) || seen.size > maxPages) return yield endless;
    after = next?.after ?? null;
    if (after !== null) seen.add(after);
    yield { kind: after === null ? 'last' : 'page', ...readTemplates(called.value.data), usage: called.usage };
  } while (after !== null);
}

// `paging.next` is only a sign: the address in it carries the access token and is not ours to follow.
function nextCursor({ paging }: z.infer<typeof page>): { after: string } | null | 'lost' {
  if (paging?.next === undefined) return null;
  return paging.cursors === undefined ? 'lost' : { after: paging.cursors.after };
}

function readTemplates(rows: unknown[]): { templates: MetaTemplate[]; unreadable: number } {
  const templates = rows.flatMap((row) => template.safeParse(row).data ?? []).map(toTemplate);
  return { templates, unreadable: rows.length - templates.length };
}

function toTemplate(row: z.infer<typeof template>): MetaTemplate {
  return {
    id: row.id,
    name: row.name,
    language: row.language,
    status: row.status,
    category: row.category,
    components: row.components,
    parameterFormat: row.parameter_format ?? 'POSITIONAL',
    qualityScore: row.quality_score?.score ?? null,
    rejectedReason: row.rejected_reason ?? null,
    subCategory: row.sub_category ?? null,
    previousCategory: row.previous_category ?? null,
  };
}
