import type { Statement, Transaction } from '../transaction.ts';

/** What CDESK names by ids of its own. */
export type CatalogueTable = 'company' | 'contact' | 'request_template' | 'request';

const tables: Record<CatalogueTable, Statement> = {
  company: byExternalId('company'),
  contact: byExternalId('contact'),
  request_template: byExternalId('request_template'),
  request: byExternalId('request'),
};

function byExternalId(table: CatalogueTable): Statement {
  return { name: `find-${table}-by-external-id`, text: `SELECT id FROM ${table} WHERE external_id = $1` };
}

const operator: Statement = {
  name: 'find-operator-by-login',
  text: 'SELECT id FROM operator WHERE login = $1 ORDER BY deactivated_at NULLS FIRST, number LIMIT 1',
};

const tagsByName: Statement = {
  name: 'find-tags-by-name',
  text: 'SELECT id, name FROM tag WHERE name = ANY($1::text[])',
};

export async function findByExternalId(
  tx: Transaction,
  table: CatalogueTable,
  externalId: string,
): Promise<string | null> {
  return (await tx.query<{ id: string }>(tables[table], [externalId]))[0]?.id ?? null;
}

export async function findOperatorByLogin(tx: Transaction, login: string): Promise<string | null> {
  return (await tx.query<{ id: string }>(operator, [login]))[0]?.id ?? null;
}

export function findTagsByName(tx: Transaction, names: readonly string[]): Promise<{ id: string; name: string }[]> {
  return tx.query<{ id: string; name: string }>(tagsByName, [names]);
}

const company: Statement = {
  name: 'save-company',
  text: `INSERT INTO company (id, external_id, name, search_text) VALUES ($1, $2, $3, $4)
    ON CONFLICT (external_id) DO UPDATE SET name = excluded.name, search_text = excluded.search_text`,
};

export type CompanyRow = { id: string; externalId: string; name: string; searchText: string };

export async function saveCompany(tx: Transaction, row: CompanyRow): Promise<void> {
  await tx.query(company, [row.id, row.externalId, row.name, row.searchText]);
}

const contact: Statement = {
  name: 'save-contact',
  text: `INSERT INTO contact (id, external_id, name, phone_number, email, company_id, comparison_key, search_text)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (external_id) DO UPDATE SET name = excluded.name, phone_number = excluded.phone_number,
      email = excluded.email, company_id = excluded.company_id, comparison_key = excluded.comparison_key,
      search_text = excluded.search_text`,
};

export type ContactRow = {
  id: string;
  externalId: string;
  name: string | null;
  phoneNumber: string | null;
  email: string | null;
  companyId: string | null;
  comparisonKey: string | null;
  searchText: string;
};

export async function saveContact(tx: Transaction, row: ContactRow): Promise<void> {
  const { id, externalId, name, phoneNumber, email, companyId, comparisonKey, searchText } = row;
  await tx.query(contact, [id, externalId, name, phoneNumber, email, companyId, comparisonKey, searchText]);
}

const adoptTag: Statement = {
  name: 'adopt-tag',
  text: 'UPDATE tag SET external_id = $1 WHERE name = $2 AND external_id IS NULL',
};

const tag: Statement = {
  name: 'save-tag',
  text: `INSERT INTO tag (id, external_id, name, color, search_text) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (external_id) DO UPDATE SET name = excluded.name, color = excluded.color, search_text = excluded.search_text`,
};

export type TagRow = { id: string; externalId: string; name: string; color: string | null; searchText: string };

/** A tag of the same name that nobody keeps becomes CDESK's. */
export async function saveTag(tx: Transaction, row: TagRow): Promise<void> {
  await tx.query(adoptTag, [row.externalId, row.name]);
  await tx.query(tag, [row.id, row.externalId, row.name, row.color, row.searchText]);
}

const template: Statement = {
  name: 'save-request-template',
  text: `INSERT INTO request_template (id, external_id, name, company_id, fields, default_description, status_key, assignee_id, active)
    VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, $9)
    ON CONFLICT (external_id) DO UPDATE SET name = excluded.name, company_id = excluded.company_id, fields = excluded.fields,
      default_description = excluded.default_description, status_key = excluded.status_key,
      assignee_id = excluded.assignee_id, active = excluded.active`,
};

export type RequestTemplateRow = {
  id: string;
  externalId: string;
  name: string;
  companyId: string | null;
  fields: object[];
  defaultDescription: string | null;
  statusKey: string | null;
  assigneeId: string | null;
  active: boolean;
};

export async function saveRequestTemplate(tx: Transaction, row: RequestTemplateRow): Promise<void> {
  const { id, externalId, name, companyId, fields, defaultDescription, statusKey, assigneeId, active } = row;
  const values = [id, externalId, name, companyId, JSON.stringify(fields), defaultDescription, statusKey, assigneeId];
  await tx.query(template, [...values, active]);
}

const status: Statement = {
  name: 'save-request-status',
  text: `INSERT INTO request_status (key, name, closed, position) VALUES ($1, $2, $3, $4)
    ON CONFLICT (key) DO UPDATE SET name = excluded.name, closed = excluded.closed, position = excluded.position`,
};

export type StatusRow = { key: string; name: string; closed: boolean; position: number };

export async function saveStatus(tx: Transaction, { key, name, closed, position }: StatusRow): Promise<void> {
  await tx.query(status, [key, name, closed, position]);
}
