import { v7 as uuid } from 'uuid';
import type { Database } from '../../db/database.ts';
import type { ConversationRow } from '../../db/rows.ts';
import { lockConversations } from '../../db/statements/conversations.ts';
import { findMessages } from '../../db/statements/messages.ts';
import { addLinkRow, addRequestFileRows, addRequestTagRows } from '../../db/statements/request-parts.ts';
import {
  findFirstStatus,
  findLastCustomerMessage,
  isActiveOperator,
  type TemplateRow,
} from '../../db/statements/request-references.ts';
import { insertRequest, type RequestRow } from '../../db/statements/requests.ts';
import { transaction, type Transaction } from '../../db/transaction.ts';
import type { Actor } from '../actor.ts';
import { asNamed, claimKey, type NamedConversation } from '../idempotency.ts';
import { isFilable } from '../message-rules.ts';
import { tellLinkChanged, tellRequestChanged } from './tell.ts';
import { checkFiles, checkParties, checkTags, checkTemplate } from './checks.ts';
import { refreshRequestCodes, takeCode } from './codes.ts';
import type { RequestDesk } from './desk.ts';
import { changedValues, type FieldInput } from './fields.ts';
import { Problems } from './problems.ts';
import { requestSearchText } from './search-text.ts';
import { checkName, checkText } from './texts.ts';

export type NewRequest = NamedConversation & {
  /** Null: the last message of the customer. */
  sourceMessageId: string | null;
  templateId: string | null;
  name: string;
  companyId: string | null;
  contactId: string | null;
  description: string;
  fields: readonly FieldInput[];
  tagIds: readonly string[];
  attachmentIds: readonly string[];
  idempotencyKey: string;
};

export type Created = { requestId: string; conversationId: string; replayed: boolean };

/** Stores a request with its code, its SOURCE link and its events, in one transaction; a second click finds the first. */
export async function createRequest(
  db: Database,
  actor: Actor,
  { idempotencyKey: key, ...input }: NewRequest,
  desk: RequestDesk,
): Promise<Created> {
  return transaction(db, async (tx) => {
    const id = uuid();
    const { conversationId } = input;
    const claim = { actor: actor.key, key, operation: 'createRequest', content: asNamed(input), resultId: id };
    const first = await claimKey(tx, claim);
    if (first) return { requestId: first, conversationId, replayed: true };
    const problems = new Problems();
    const [conversation] = await lockConversations(tx, [conversationId]);
    if (!conversation) problems.missing('There is no such conversation.', 'conversationId');
    const sourceId = await checkSource(tx, problems, input);
    const draft = await checkRequest(tx, problems, input);
    const tagIds = await checkTags(tx, problems, input.tagIds);
    const fileIds = await checkFiles(tx, problems, input, actor);
    problems.refuse();
    const request = { ...draft, id, conversationId, createdById: actor.operatorId };
    await insertWithCode(tx, request, desk);
    if (tagIds.length > 0) await addRequestTagRows(tx, id, tagIds);
    if (fileIds.length > 0) await addRequestFileRows(tx, id, fileIds);
    await finish(tx, actor, { request, conversation, sourceId, tagIds, fileIds }, desk);
    return { requestId: id, conversationId, replayed: false };
  });
}

async function checkSource(tx: Transaction, problems: Problems, input: Omit<NewRequest, 'idempotencyKey'>) {
  const { sourceMessageId, conversationId } = input;
  if (!sourceMessageId) return findLastCustomerMessage(tx, conversationId);
  const [message] = await findMessages(tx, [], [sourceMessageId]);
  if (message?.conversationId !== conversationId)
    problems.missing('There is no such message in this conversation.', 'sourceMessageId');
  else if (!isFilable(message)) problems.invalid('DELETED', 'The message was deleted.', 'sourceMessageId');
  return sourceMessageId;
}

type Draft = Omit<RequestRow, 'id' | 'code' | 'searchText' | 'conversationId' | 'createdById'>;

async function checkRequest(
  tx: Transaction,
  problems: Problems,
  input: Omit<NewRequest, 'idempotencyKey'>,
): Promise<Draft> {
  const name = checkName(problems, input.name);
  const description = checkText(problems, input.description, 'description');
  const parties = await checkParties(tx, problems, input);
  const template = await checkTemplate(tx, problems, input.templateId, parties.companyId);
  // Fields of a template that cannot be used would only be told a second time.
  const isUsable = !input.templateId || template;
  const customFields = isUsable ? changedValues(problems, template, {}, input.fields) : {};
  return {
    name,
    description,
    ...parties,
    templateId: input.templateId,
    customFields,
    visibility: 'REGULAR',
    statusKey: template?.statusKey ?? (await findFirstStatus(tx)),
    assigneeId: await assigneeOf(tx, template),
    createdAt: tx.now,
    updatedAt: tx.now,
    deletedAt: null,
    version: 1,
  };
}

/** A template may still name somebody who has left. */
async function assigneeOf(tx: Transaction, template: TemplateRow | null): Promise<string | null> {
  const id = template?.assigneeId;
  return id && (await isActiveOperator(tx, id)) ? id : null;
}

/** Codes that CDESK gave out itself are passed over. */
async function insertWithCode(
  tx: Transaction,
  request: Omit<RequestRow, 'code' | 'searchText'>,
  desk: RequestDesk,
): Promise<void> {
  for (;;) {
    const code = await takeCode(tx, desk.codes);
    const searchText = requestSearchText({ code, name: request.name });
    if (await insertRequest(tx, { ...request, code, searchText })) return;
  }
}

type Stored = {
  request: Omit<RequestRow, 'code' | 'searchText'>;
  conversation: ConversationRow | undefined;
  sourceId: string | null;
  tagIds: string[];
  fileIds: string[];
};

async function finish(tx: Transaction, actor: Actor, stored: Stored, desk: RequestDesk): Promise<void> {
  const { request, conversation, sourceId, tagIds, fileIds } = stored;
  const place = { ...request, businessNumberId: conversation?.businessNumberId ?? null };
  await refreshRequestCodes(tx, conversation ? [conversation.id] : []);
  tellRequestChanged(tx, place, actor, { fields: createdFields(request, tagIds, fileIds) });
  if (sourceId) {
    await addLinkRow(tx, {
      messageId: sourceId,
      requestId: request.id,
      role: 'SOURCE',
      linkedById: actor.operatorId,
    });
    tellLinkChanged(tx, place, actor, { messageId: sourceId, linked: true });
  }
  await desk.connector.requestChanged(tx, request.id);
}

/** Of a new request everything that is set has changed; `createdAt` changes only then. */
function createdFields(request: Stored['request'], tagIds: string[], fileIds: string[]): string[] {
  const optional: [string, boolean][] = [
    ['company', request.companyId !== null],
    ['contact', request.contactId !== null],
    ['template', request.templateId !== null],
    ['assignee', request.assigneeId !== null],
    ['customFields', Object.keys(request.customFields).length > 0],
    ['tags', tagIds.length > 0],
    ['attachments', fileIds.length > 0],
  ];
  const set = optional.filter(([, isSet]) => isSet).map(([name]) => name);
  return ['createdAt', 'code', 'name', 'description', 'status', 'visibility', ...set];
}
