import { v7 as uuid } from 'uuid';
import { findByExternalId } from '../../db/statements/catalogue.ts';
import { lockConversations } from '../../db/statements/conversations.ts';
import {
  findRequestPlace,
  isCodeTaken,
  keepExternalId,
  noteKnown,
  replaceRequestTags,
} from '../../db/statements/mirrored-requests.ts';
import { findFirstStatus } from '../../db/statements/request-references.ts';
import { insertRequest, lockRequestRow, updateRequestRow, type LockedRequest } from '../../db/statements/requests.ts';
import type { Transaction } from '../../db/transaction.ts';
import { changedFields, changedRow, type FieldChange } from '../requests/change.ts';
import { refreshRequestCodes, takeCode, type CodeScheme } from '../requests/codes.ts';
import { Problems } from '../requests/problems.ts';
import { requestSearchText } from '../requests/search-text.ts';
import { tellRequestChanged, widerVisibility } from '../requests/tell.ts';
import type { IncomingRequest } from './changes.ts';
import { resolved, resolvedOperator, resolvedTags } from './references.ts';

const CDESK = { operatorId: null };

/** CDESK's word holds: it needs no version, and may change code and fields that nobody else may. */
export async function applyRequestChange(tx: Transaction, told: IncomingRequest, codes: CodeScheme): Promise<void> {
  const problems = new Problems();
  const id = await findOrMake(tx, problems, told, codes);
  if (id === null) return problems.refuse();
  const request = await lockRequestRow(tx, id);
  if (!request) throw new Error('a request vanished while it was locked');
  if (told.externalId) await keepExternalId(tx, id, told.externalId);
  const next = await changed(tx, problems, request, told);
  const tagIds = await resolvedTags(tx, problems, told.tags);
  problems.refuse();
  const fields = [...changedFields(request, next), ...changedByCdeskOnly(request, next)];
  if (tagIds && (await replaceRequestTags(tx, id, tagIds)) > 0) fields.push('tags');
  if (fields.length === 0) return;
  await updateRequestRow(tx, { ...next, version: request.version + 1, updatedAt: tx.now });
  await noteKnown(tx, id, request.revision);
  if (request.conversationId) await refreshRequestCodes(tx, [request.conversationId]);
  tellRequestChanged(tx, { ...request, visibility: widerVisibility(request, next) }, CDESK, { fields });
}

/** The request that is meant, with its conversation locked first as everywhere; null where there is none. */
export async function findRequest(
  tx: Transaction,
  { id, externalId }: { id?: string | undefined; externalId?: string | undefined },
): Promise<string | null> {
  const known = externalId ? await findByExternalId(tx, 'request', externalId) : null;
  const place = await findRequestPlace(tx, known ?? id ?? '00000000-0000-0000-0000-000000000000');
  if (place?.conversationId) await lockConversations(tx, [place.conversationId]);
  return place?.id ?? null;
}

async function findOrMake(
  tx: Transaction,
  problems: Problems,
  told: IncomingRequest,
  codes: CodeScheme,
): Promise<string | null> {
  const found = await findRequest(tx, told);
  if (found) return found;
  if (told.id) problems.missing('There is no such request.', 'id');
  else if (told.name === undefined) problems.invalid('REQUIRED', 'A new request needs a name.', 'name');
  else return make(tx, problems, told, codes);
  return null;
}

/** An empty request, which the rest of the change fills in. */
async function make(
  tx: Transaction,
  problems: Problems,
  told: IncomingRequest,
  codes: CodeScheme,
): Promise<string | null> {
  const { conversationId = null } = told;
  const [conversation] = conversationId ? await lockConversations(tx, [conversationId]) : [];
  if (conversationId && !conversation) problems.missing('There is no such conversation.', 'conversationId');
  const code = told.code ?? (await takeCode(tx, codes));
  const templateId = (await resolved(tx, problems, 'template', told.template)) ?? null;
  problems.refuse();
  const id = uuid();
  const isNew = await insertRequest(tx, {
    id,
    code,
    name: '',
    description: '',
    companyId: null,
    contactId: null,
    templateId,
    statusKey: await findFirstStatus(tx),
    assigneeId: null,
    visibility: 'REGULAR',
    customFields: {},
    conversationId,
    createdById: null,
    createdAt: tx.now,
    updatedAt: tx.now,
    searchText: '',
    deletedAt: null,
    version: 0,
  });
  if (isNew) return id;
  problems.invalid('DUPLICATE', 'Another request has this code.', 'code');
  return null;
}

async function changed(tx: Transaction, problems: Problems, request: LockedRequest, told: IncomingRequest) {
  const change: FieldChange = {
    name: told.name,
    description: told.description,
    statusKey: told.status,
    visibility: told.visibility,
    companyId: await resolved(tx, problems, 'company', told.company),
    contactId: await resolved(tx, problems, 'contact', told.contact),
    assigneeId: await resolvedOperator(tx, problems, told.assignee),
    fields: told.fields && Object.entries(told.fields).map(([key, value]) => ({ key, value })),
  };
  const row = await changedRow(tx, problems, request, change, 'cdesk');
  const code = told.code ?? request.code;
  if (await isCodeTaken(tx, code, request.id)) problems.invalid('DUPLICATE', 'Another request has this code.', 'code');
  const deletedAt = told.deleted === undefined ? request.deletedAt : told.deleted ? tx.now : null;
  return { ...row, code, searchText: requestSearchText({ code, name: row.name }), deletedAt };
}

function changedByCdeskOnly(
  before: Pick<LockedRequest, 'code' | 'deletedAt' | 'version'>,
  after: Pick<LockedRequest, 'code' | 'deletedAt'>,
): string[] {
  if (before.version === 0) return ['createdAt', 'code', 'status'];
  return [
    ...(before.code === after.code ? [] : ['code']),
    ...((before.deletedAt === null) === (after.deletedAt === null) ? [] : ['deleted']),
  ];
}
