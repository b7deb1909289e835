import type { Database } from '../../db/database.ts';
import { findTemplate, isActiveOperator, statusExists } from '../../db/statements/request-references.ts';
import { updateRequestRow, type LockedRequest, type RequestRow } from '../../db/statements/requests.ts';
import { transaction, type Transaction } from '../../db/transaction.ts';
import { StaleStateError } from '../../errors.ts';
import type { RequestVisibility } from '../../generated/prisma/enums.ts';
import type { Actor } from '../actor.ts';
import { lockRequest, tellRequestChanged } from './changed.ts';
import { checkParties } from './checks.ts';
import type { RequestDesk } from './desk.ts';
import { changedValues, storedValues, type FieldInput } from './fields.ts';
import { Problems } from './problems.ts';
import { requestSearchText } from './search-text.ts';
import { checkName, checkText } from './texts.ts';

/** What is left out stays; null clears where that is allowed. */
export type RequestChange = {
  requestId: string;
  expectedVersion: number;
  name?: string | null;
  companyId?: string | null;
  contactId?: string | null;
  description?: string | null;
  statusKey?: string | null;
  assigneeId?: string | null;
  visibility?: RequestVisibility | null;
  fields?: readonly FieldInput[] | null;
};

/** Changes the fields of a request that nobody changed since the actor read it. What changes nothing tells nothing. */
export async function updateRequest(
  db: Database,
  actor: Actor,
  change: RequestChange,
  desk: RequestDesk,
): Promise<{ requestId: string }> {
  return transaction(db, async (tx) => {
    const request = await lockRequest(tx, change.requestId);
    const problems = new Problems();
    const { version } = request;
    if (version !== change.expectedVersion)
      problems.add(new StaleStateError('Somebody changed the request meanwhile.', { currentVersion: version }));
    const next = await changed(tx, problems, request, change);
    problems.refuse();
    const fields = changedFields(request, next);
    if (fields.length > 0) {
      await updateRequestRow(tx, { ...next, version: version + 1, updatedAt: tx.now });
      // Who saw it until now must learn that it is gone, and who sees it from now on that it is there.
      const wasVisible = request.visibility === 'REGULAR' || next.visibility === 'REGULAR';
      tellRequestChanged(tx, { ...request, visibility: wasVisible ? 'REGULAR' : 'INTERNAL' }, actor, { fields });
      await desk.connector.requestChanged(tx, request.id);
    }
    return { requestId: request.id };
  });
}

async function changed(
  tx: Transaction,
  problems: Problems,
  request: LockedRequest,
  change: RequestChange,
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
    customFields: await changedCustomFields(tx, problems, request, change.fields),
  };
}

async function changedParties(
  tx: Transaction,
  problems: Problems,
  request: LockedRequest,
  { companyId, contactId }: RequestChange,
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
): Promise<Record<string, string>> {
  const stored = storedValues(customFields);
  if (fields === undefined) return stored;
  const template = templateId ? await findTemplate(tx, templateId) : undefined;
  return changedValues(problems, template ?? null, stored, fields);
}

/** Names of the schema's fields that differ. */
function changedFields(before: LockedRequest, after: RequestRow): string[] {
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
