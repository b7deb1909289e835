import type { AttachmentState } from '../../generated/prisma/enums.ts';
import type { Statement, Transaction } from '../transaction.ts';

const one = (name: string, text: string): Statement => ({ name: `find-request-${name}`, text });

const company = one('company', 'SELECT id FROM company WHERE id = $1');
const contact = one('contact', 'SELECT id, company_id AS "companyId" FROM contact WHERE id = $1');
const template = one(
  'template',
  `SELECT id, company_id AS "companyId", fields, assignee_id AS "assigneeId", status_key AS "statusKey", active
   FROM request_template WHERE id = $1`,
);
const assignee = one('assignee', 'SELECT id FROM operator WHERE id = $1 AND deactivated_at IS NULL');
const status = one('status', 'SELECT key FROM request_status WHERE key = $1');
const firstStatus = one(
  'first-status',
  'SELECT key FROM request_status WHERE NOT closed ORDER BY position, key LIMIT 1',
);
const tags = one('tags', 'SELECT id FROM tag WHERE id = ANY($1::uuid[])');
const attachments = one(
  'attachments',
  `SELECT a.id, a.state, a.uploaded_by_id AS "uploadedById", m.conversation_id AS "conversationId"
   FROM attachment a LEFT JOIN message m ON m.id = a.message_id WHERE a.id = ANY($1::uuid[])`,
);
const tokenName = one('token-name', 'SELECT name FROM api_token WHERE id = $1');
const lastMessage = one(
  'last-message',
  `SELECT id FROM message WHERE conversation_id = $1 AND direction = 'INCOMING' AND origin = 'CUSTOMER' AND withdrawn_at IS NULL
   ORDER BY sent_second DESC, sequence DESC LIMIT 1`,
);

export async function companyExists(tx: Transaction, id: string): Promise<boolean> {
  return (await tx.query(company, [id])).length > 0;
}

export async function findContact(
  tx: Transaction,
  id: string,
): Promise<{ id: string; companyId: string | null } | undefined> {
  return (await tx.query<{ id: string; companyId: string | null }>(contact, [id]))[0];
}

export type TemplateRow = {
  id: string;
  companyId: string | null;
  fields: unknown;
  assigneeId: string | null;
  statusKey: string | null;
  active: boolean;
};

export async function findTemplate(tx: Transaction, id: string): Promise<TemplateRow | undefined> {
  return (await tx.query<TemplateRow>(template, [id]))[0];
}

export async function isActiveOperator(tx: Transaction, id: string): Promise<boolean> {
  return (await tx.query(assignee, [id])).length > 0;
}

export async function statusExists(tx: Transaction, key: string): Promise<boolean> {
  return (await tx.query(status, [key])).length > 0;
}

/** Where new requests begin. */
export async function findFirstStatus(tx: Transaction): Promise<string> {
  const [first] = await tx.query<{ key: string }>(firstStatus);
  if (!first) throw new Error('there is no status in which a request could begin');
  return first.key;
}

export async function findTagIds(tx: Transaction, ids: string[]): Promise<Set<string>> {
  return new Set((await tx.query<{ id: string }>(tags, [ids])).map((row) => row.id));
}

export type AttachmentRow = {
  id: string;
  state: AttachmentState;
  uploadedById: string | null;
  /** The conversation of its message; null for one that belongs to none. */
  conversationId: string | null;
};

export function findAttachments(tx: Transaction, ids: string[]): Promise<AttachmentRow[]> {
  return tx.query<AttachmentRow>(attachments, [ids]);
}

/** The last message of the customer that was not taken back. */
export async function findLastCustomerMessage(tx: Transaction, conversationId: string): Promise<string | null> {
  return (await tx.query<{ id: string }>(lastMessage, [conversationId]))[0]?.id ?? null;
}

export async function findTokenName(tx: Transaction, id: string): Promise<string | null> {
  return (await tx.query<{ name: string }>(tokenName, [id]))[0]?.name ?? null;
}
