import { v7 as uuid } from 'uuid';
import { saveCompany, saveContact, saveRequestTemplate, saveStatus, saveTag } from '../../db/statements/catalogue.ts';
import { statusExists } from '../../db/statements/request-references.ts';
import type { Transaction } from '../../db/transaction.ts';
import { companyKeys, contactKeys } from '../contacts.ts';
import { Problems } from '../requests/problems.ts';
import { tagKeys } from '../tags.ts';
import type { IncomingChange } from './changes.ts';
import { resolved, resolvedOperator } from './references.ts';

export type CatalogueChange = Exclude<IncomingChange, { type: 'request.changed' | 'request.post' }>;

/** What the form offers is CDESK's: it comes whole, and replaces what was there under the same id. */
export async function applyCatalogueChange(tx: Transaction, change: CatalogueChange): Promise<void> {
  switch (change.type) {
    case 'company.changed':
      return saveCompany(tx, { id: uuid(), ...change.company, ...companyKeys(change.company) });
    case 'tag.changed': {
      const { externalId, name, color } = change.tag;
      return saveTag(tx, { id: uuid(), externalId, name, color: color ?? null, ...tagKeys({ name }) });
    }
    case 'status.changed':
      return saveStatus(tx, change.status);
    case 'contact.changed':
      return applyContact(tx, change.contact);
    case 'template.changed':
      return applyTemplate(tx, change.template);
  }
}

async function applyContact(
  tx: Transaction,
  told: Extract<CatalogueChange, { type: 'contact.changed' }>['contact'],
): Promise<void> {
  const problems = new Problems();
  const companyId = (await resolved(tx, problems, 'company', told.company)) ?? null;
  problems.refuse();
  const { externalId, name = null, phoneNumber = null, email = null } = told;
  const contact = { name, phoneNumber, email };
  await saveContact(tx, { id: uuid(), externalId, ...contact, ...contactKeys(contact), companyId });
}

async function applyTemplate(
  tx: Transaction,
  told: Extract<CatalogueChange, { type: 'template.changed' }>['template'],
): Promise<void> {
  const problems = new Problems();
  const companyId = (await resolved(tx, problems, 'company', told.company)) ?? null;
  const assigneeId = (await resolvedOperator(tx, problems, told.assignee)) ?? null;
  const statusKey = told.status ?? null;
  if (statusKey !== null && !(await statusExists(tx, statusKey)))
    problems.missing('There is no such status: send it first.', 'status');
  problems.refuse();
  const { externalId, name, fields = [], defaultDescription = null, active = true } = told;
  await saveRequestTemplate(tx, {
    id: uuid(),
    externalId,
    name,
    companyId,
    fields,
    defaultDescription,
    statusKey,
    assigneeId,
    active,
  });
}
