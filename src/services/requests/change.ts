import { findTemplate, isActiveOperator, statusExists } from '../../db/statements/request-references.ts';
import type { LockedRequest, RequestRow } from '../../db/statements/requests.ts';
import type { Transaction } from '../../db/transaction.ts';
import type { RequestVisibility } from '../../generated/prisma/enums.ts';
import { checkParties } from './checks.ts';
import { changedValues, storedValues, type FieldInput } from './fields.ts';
import type { Problems } from './problems.ts';
import { requestSearchText } from './search-text.ts';
import { checkName, checkText } from './texts.ts';

/** What is left out stays; null clears where that is allowed. */
export type FieldChange = {
  name?: string | null;
  companyId?: string | null;
  contactId?: string | null;
  description?: string | null;
  statusKey?: string | null;
  assigneeId?: string | null;
  visibility?: RequestVisibility | null;
  fields?: readonly FieldInput[] | null;
};

/** CDESK may also set the fields that it keeps for itself. */
export type Editor = 'operator' | 'cdesk';

/** The row as the change makes it. */
export async function changedRow(
  tx: Transaction,
  problems: Problems,
  request: LockedRequest,
  change: FieldChange,
  editor: Editor,
): Promise<RequestRow> {
  const name = change.name === undefined ? request.name : checkName(problems, change.name ?? '');
  const description =
    change.description === undefined
      ? request.description
      : checkText(problems, change.description ?? '', 'description');
  return {
    ...request,
    name,
    description,
    searchText: requestSearchText({ code: request.code, name }),
    ...(await changedParties(tx, problems, request, change)),
    statusKey: await changedStatus(tx, problems, request, change.statusKey),
    assigneeId: await changedAssignee(tx, problems, request, change.assigneeId),
    visibility: changedVisibility(problems, request, change.visibility),
    customFields: await changedCustomFields(tx, problems, request, change.fields, editor),
  };
}

async function changedParties(
  tx: Transaction,
  problems: Problems,
  request: LockedRequest,
  { companyId, contactId }: FieldChange,
): Promise<{ companyId: string | null; contactId: string | null }> {
  const parties = {
    companyId: companyId === undefined ? request.companyId : companyId,
    contactId: contactId === undefined ? request.contactId : contactId,
  };
  if (companyId === undefined && contactId === undefined) return parties;
  if (companyId === null && parties.contactId && contactId === undefined) {
    problems.invalid('OTHER_COMPANY', 'Clear the contact together with its company.', 'companyId');
    return parties;
  }
  return checkParties(tx, problems, parties, contactId === undefined ? 'companyId' : 'contactId');
}

async function changedStatus(
  tx: Transaction,
  problems: Problems,
  { statusKey }: LockedRequest,
  key: string | null | undefined,
): Promise<string> {
  if (key === undefined) return statusKey;
  if (key === null) problems.invalid('REQUIRED', 'A request always has a status.', 'statusKey');
  else if (!(await statusExists(tx, key))) problems.missing('There is no such status.', 'statusKey');
  return key ?? statusKey;
}

async function changedAssignee(
  tx: Transaction,
  problems: Problems,
  { assigneeId }: LockedRequest,
  id: string | null | undefined,
): Promise<string | null> {
  if (id === undefined) return assigneeId;
  if (id !== null && id !== assigneeId && !(await isActiveOperator(tx, id)))
    problems.missing('There is no such operator.', 'assigneeId');
  return id;
}

function changedVisibility(
  problems: Problems,
  { visibility }: LockedRequest,
  next: RequestVisibility | null | undefined,
): RequestVisibility {
  if (next === null) problems.invalid('REQUIRED', 'A request is REGULAR or INTERNAL.', 'visibility');
  return next ?? visibility;
}

async function changedCustomFields(
  tx: Transaction,
  problems: Problems,
  { templateId, customFields }: LockedRequest,
  fields: readonly FieldInput[] | null | undefined,
  editor: Editor,
): Promise<Record<string, string>> {
  const stored = storedValues(customFields);
  if (fields === undefined) return stored;
  const template = templateId ? await findTemplate(tx, templateId) : undefined;
  return changedValues(problems, template ?? null, stored, fields, editor);
}

/** Names of the schema's fields that differ. */
export function changedFields(before: LockedRequest, after: RequestRow): string[] {
  const isDifferent: Record<string, boolean> = {
    name: before.name !== after.name,
    description: before.description !== after.description,
    company: before.companyId !== after.companyId,
    contact: before.contactId !== after.contactId,
    status: before.statusKey !== after.statusKey,
    assignee: before.assigneeId !== after.assigneeId,
    visibility: before.visibility !== after.visibility,
    customFields: !isSame(storedValues(before.customFields), after.customFields),
  };
  return Object.keys(isDifferent).filter((name) => isDifferent[name]);
}

function isSame(a: Record<string, string>, b: Record<string, string>): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => a[key] === b[key]);
}
