import type { Request } from '../../generated/prisma/client.ts';
import { assignments, insertion, recordset, type Columns } from '../columns.ts';
import { modelColumns } from '../models.ts';
import type { Statement, Transaction } from '../transaction.ts';

/** What a change of a request writes of its row. */
export type RequestRow = Omit<
  Request,
  'externalId' | 'revision' | 'mirroredRevision' | 'customFields' | 'createdAt' | 'updatedAt' | 'deletedAt'
> & { customFields: Record<string, string>; createdAt: Date; updatedAt: Date; deletedAt: Date | null };

/** A request whose row is locked, and the number that its conversation belongs to. */
export type LockedRequest = Request & { businessNumberId: string | null };

/** What decides who hears of a change of it. */
export type RequestPlace = Pick<LockedRequest, 'id' | 'conversationId' | 'businessNumberId' | 'visibility'>;

export const requestPlace = `r.id, r.conversation_id AS "conversationId", r.visibility,
  (SELECT c.business_number_id FROM conversation c WHERE c.id = r.conversation_id) AS "businessNumberId"`;

const columns = {
  id: ['id', 'uuid'],
  code: ['code', 'text'],
  name: ['name', 'text'],
  description: ['description', 'text'],
  companyId: ['company_id', 'uuid'],
  contactId: ['contact_id', 'uuid'],
  templateId: ['template_id', 'uuid'],
  statusKey: ['status_key', 'text'],
  assigneeId: ['assignee_id', 'uuid'],
  visibility: ['visibility', '"RequestVisibility"'],
  customFields: ['custom_fields', 'jsonb'],
  conversationId: ['conversation_id', 'uuid'],
  createdById: ['created_by_id', 'uuid'],
  createdAt: ['created_at', 'timestamptz'],
  updatedAt: ['updated_at', 'timestamptz'],
  searchText: ['search_text', 'text'],
  deletedAt: ['deleted_at', 'timestamptz'],
  version: ['version', 'integer'],
} as const satisfies Columns & Record<keyof RequestRow, unknown>;

const lock: Statement = {
  name: 'lock-request',
  text: `SELECT ${modelColumns('Request', 'r')}, c.business_number_id AS "businessNumberId"
    FROM request r LEFT JOIN conversation c ON c.id = r.conversation_id WHERE r.id = $1 FOR NO KEY UPDATE OF r`,
};

const insert: Statement = {
  name: 'insert-request',
  text: `INSERT INTO request ${insertion(columns, 'n')} FROM ${recordset(columns, '$1', 'n')}
    ON CONFLICT (code) DO NOTHING RETURNING id`,
};

const update: Statement = {
  name: 'update-request',
  text: `UPDATE request r SET ${assignments(columns, 'n', ['id', 'createdAt', 'createdById'])}, revision = r.revision + 1
    FROM ${recordset(columns, '$1', 'n')} WHERE r.id = n.id`,
};

const touch: Statement = {
  name: 'touch-request',
  text: `UPDATE request r SET updated_at = $2, revision = revision + 1 WHERE id = ANY($1::uuid[])
    RETURNING ${requestPlace}`,
};

/** Locks one request against every other change of it. */
export async function lockRequestRow(tx: Transaction, id: string): Promise<LockedRequest | null> {
  const [row] = await tx.query<LockedRequest>(lock, [id]);
  return row ?? null;
}

/** False where another request has the code. */
export async function insertRequest(tx: Transaction, row: RequestRow): Promise<boolean> {
  return (await tx.query(insert, [JSON.stringify([row])])).length > 0;
}

export async function updateRequestRow(tx: Transaction, row: RequestRow): Promise<void> {
  await tx.query(update, [JSON.stringify([row])]);
}

/** For changes of what hangs on a request and not on its row. */
export async function touchRequest(tx: Transaction, id: string): Promise<void> {
  await tx.query(touch, [[id], tx.now]);
}

/** The same of several; gives back where they are. */
export async function touchRequests(tx: Transaction, ids: string[]): Promise<RequestPlace[]> {
  return ids.length === 0 ? [] : tx.query<RequestPlace>(touch, [ids, tx.now]);
}
