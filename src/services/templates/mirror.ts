import { isDeepStrictEqual } from 'node:util';
import { v7 as uuid } from 'uuid';
import type { Database } from '../../db/database.ts';
import { insertTemplates, lockTemplates, updateTemplates, type TemplateRow } from '../../db/statements/templates.ts';
import { transaction, type Transaction } from '../../db/transaction.ts';
import type { UserError } from '../../errors.ts';
import { templateParts } from './parts.ts';
import { parameterFormat, templateKind, templateVariables } from './variables.ts';
import { rejectionReason, templateCategory, templateLanguage, templateStatus } from './words.ts';

/** A template as Meta's listing has it, in Meta's words. */
export type ListedTemplate = {
  id: string;
  name: string;
  language: string;
  category: string;
  status: string;
  rejectedReason: string | null;
  qualityScore: string | null;
  components: unknown[];
};

export type MirrorResult = { added: number; changed: number; removed: number };

/** Fetches Meta's list and mirrors it; what went wrong is told, and what came before it is kept. */
export type SyncTemplates = () => Promise<MirrorResult & { errors: UserError[] }>;

/**
 * Brings the mirror to what was listed. Only a complete listing proves that a template is gone: it stays as DELETED,
 * because messages refer to it.
 */
export async function mirrorTemplates(
  db: Database,
  listed: ListedTemplate[],
  isComplete: boolean,
): Promise<MirrorResult> {
  return transaction(db, async (tx) => {
    const known = new Map((await lockTemplates(tx)).map((row) => [row.metaId, row]));
    const seen = [...new Map(listed.map((template) => [template.id, template])).values()];
    const rows = seen.map((template) => mirrored(template, known.get(template.id)?.id ?? uuid(), tx.now));
    const added = rows.filter((row) => !known.has(row.metaId));
    const kept = rows.filter((row) => known.has(row.metaId));
    const changed = kept.filter((row) => isChanged(row, known.get(row.metaId)));
    const removed = isComplete ? gone([...known.values()], new Set(rows.map((row) => row.metaId))) : [];
    await insertTemplates(tx, added);
    await updateTemplates(tx, [...kept, ...removed]);
    tellChanged(tx, [...added, ...changed, ...removed]);
    return { added: added.length, changed: changed.length, removed: removed.length };
  });
}

/** Says to subscribers that these are different from now on. */
export function tellChanged(tx: Transaction, rows: Pick<TemplateRow, 'id' | 'status'>[]): void {
  for (const { id, status } of rows)
    tx.append({ type: 'TEMPLATE_CHANGED', templateId: id, occurredAt: tx.now, data: { status } });
}

function mirrored(template: ListedTemplate, id: string, now: Date): TemplateRow {
  const category = templateCategory(template.category);
  const parts = templateParts(template.components, category);
  return {
    id,
    metaId: template.id,
    name: template.name,
    language: templateLanguage(template.language),
    category,
    status: templateStatus(template.status),
    rejectionReason: rejectionReason(template.rejectedReason),
    parameterFormat: parameterFormat(parts),
    kind: templateKind(templateVariables(parts)),
    components: template.components,
    qualityScore: template.qualityScore,
    lastSyncedAt: now,
  };
}

function isChanged(row: TemplateRow, known: TemplateRow | undefined): boolean {
  return !isDeepStrictEqual({ ...row, lastSyncedAt: null }, { ...known, lastSyncedAt: null });
}

function gone(known: TemplateRow[], listedIds: ReadonlySet<string>): TemplateRow[] {
  return known
    .filter((row) => row.status !== 'DELETED' && !listedIds.has(row.metaId))
    .map((row) => ({ ...row, status: 'DELETED' }));
}
