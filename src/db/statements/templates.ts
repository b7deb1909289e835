import type {
  TemplateCategory,
  TemplateKind,
  TemplateParameterFormat,
  TemplateStatus,
} from '../../generated/prisma/enums.ts';
import { assignments, insertion, recordset, selectList, type Columns } from '../columns.ts';
import type { Statement, Transaction } from '../transaction.ts';

/** A template as the mirror keeps it. */
export type TemplateRow = {
  id: string;
  metaId: string;
  name: string;
  language: string;
  category: TemplateCategory;
  status: TemplateStatus;
  rejectionReason: string | null;
  parameterFormat: TemplateParameterFormat;
  kind: TemplateKind;
  components: unknown;
  qualityScore: string | null;
  lastSyncedAt: Date;
};

const columns = {
  id: ['id', 'uuid'],
  metaId: ['meta_id', 'text'],
  name: ['name', 'text'],
  language: ['language', 'text'],
  category: ['category', '"TemplateCategory"'],
  status: ['status', '"TemplateStatus"'],
  rejectionReason: ['rejection_reason', 'text'],
  parameterFormat: ['parameter_format', '"TemplateParameterFormat"'],
  kind: ['kind', '"TemplateKind"'],
  components: ['components', 'jsonb'],
  qualityScore: ['quality_score', 'text'],
  lastSyncedAt: ['last_synced_at', 'timestamptz'],
} as const satisfies Columns & Record<keyof TemplateRow, unknown>;

const lockMirror = `SELECT pg_advisory_xact_lock(hashtext('template mirror'))`;

const findAll: Statement = {
  name: 'find-templates',
  text: `SELECT ${selectList(columns, 't')} FROM template t WHERE $1::text[] IS NULL OR t.meta_id = ANY($1) ORDER BY t.id FOR UPDATE`,
};

const insert: Statement = {
  name: 'insert-templates',
  text: `INSERT INTO template ${insertion(columns, 'n')} FROM ${recordset(columns, '$1', 'n')}`,
};

const update: Statement = {
  name: 'update-templates',
  text: `UPDATE template t SET ${assignments(columns, 'n', ['id', 'metaId'])} FROM ${recordset(columns, '$1', 'n')} WHERE t.id = n.id`,
};

/** One writer at a time, so that two listings never insert the same template. */
export async function lockTemplates(tx: Transaction, metaIds: string[] | null = null): Promise<TemplateRow[]> {
  await tx.query(lockMirror);
  return tx.query<TemplateRow>(findAll, [metaIds]);
}

export async function insertTemplates(tx: Transaction, rows: TemplateRow[]): Promise<void> {
  if (rows.length > 0) await tx.query(insert, [JSON.stringify(rows)]);
}

export async function updateTemplates(tx: Transaction, rows: TemplateRow[]): Promise<void> {
  if (rows.length > 0) await tx.query(update, [JSON.stringify(rows)]);
}

/** A template as far as sending it goes. */
export type TemplateToSend = Pick<TemplateRow, 'id' | 'name' | 'language' | 'category' | 'status' | 'components'>;

export async function findTemplateToSend(tx: Transaction, id: string): Promise<TemplateToSend | null> {
  const [template] = await tx.query<TemplateToSend>(
    {
      name: 'find-template',
      text: `SELECT id, name, language, category, status, components FROM template WHERE id = $1`,
    },
    [id],
  );
  return template ?? null;
}

/** For the order of the picker. A row that somebody else is writing is left alone: it was just used. */
export async function markTemplateUsed(tx: Transaction, id: string): Promise<void> {
  await tx.query(
    `UPDATE template SET last_used_at = $2 WHERE id = (SELECT id FROM template WHERE id = $1 FOR UPDATE SKIP LOCKED)`,
    [id, tx.now],
  );
}
