import { addTemplateSyncJob } from '../../db/statements/jobs.ts';
import { lockTemplates, updateTemplates, type TemplateRow } from '../../db/statements/templates.ts';
import type { Transaction } from '../../db/transaction.ts';
import { tellChanged } from '../templates/mirror.ts';
import { rejectionReason, statusOfEvent, templateCategory } from '../templates/words.ts';
import type { TemplateItem } from './items.ts';

/** Meta tells of one change at a time and not of all of it; a listing that began before it would undo it. */
const SYNC_DELAY_MS = 2_000;

/** What Meta tells of a template holds at once; the listing that follows brings the rest, and unknown templates. */
export async function applyTemplateItems(tx: Transaction, items: TemplateItem[]): Promise<void> {
  if (items.length === 0) return;
  const rows = new Map(
    (
      await lockTemplates(
        tx,
        items.map((item) => item.metaId),
      )
    ).map((row) => [row.metaId, row]),
  );
  const changed = new Set<TemplateRow>();
  for (const item of items) {
    const row = rows.get(item.metaId);
    if (row && applyChange(row, item)) changed.add(row);
  }
  await updateTemplates(tx, [...changed]);
  tellChanged(tx, [...changed]);
  await addTemplateSyncJob(tx, new Date(tx.now.getTime() + SYNC_DELAY_MS));
}

/** True where something is different from before. */
function applyChange(row: TemplateRow, item: TemplateItem): boolean {
  const before = { ...row };
  if (item.value !== null && !item.announced) {
    if (item.change === 'quality') row.qualityScore = item.value;
    if (item.change === 'category') row.category = templateCategory(item.value);
    if (item.change === 'status') row.status = statusOfEvent(item.value) ?? row.status;
  }
  if (item.change === 'status' && row.status !== before.status) row.rejectionReason = rejectionReason(item.reason);
  return (['qualityScore', 'category', 'status', 'rejectionReason'] as const).some((key) => row[key] !== before[key]);
}
