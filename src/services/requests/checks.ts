import {
  companyExists,
  findAttachments,
  findContact,
  findTagIds,
  findTemplate,
  type AttachmentRow,
  type TemplateRow,
} from '../../db/statements/request-references.ts';
import type { Transaction } from '../../db/transaction.ts';
import { AttachmentRejectedError } from '../../errors.ts';
import type { Actor } from '../actor.ts';
import type { Problems } from './problems.ts';

const MAX_TAGS = 50;
const MAX_FILES = 50;

/** Company and contact of a request; a contact alone brings its company. */
export async function checkParties(
  tx: Transaction,
  problems: Problems,
  { companyId, contactId }: { companyId: string | null; contactId: string | null },
  /** Where it is told that the two do not go together. */
  pathOfMismatch = 'contactId',
): Promise<{ companyId: string | null; contactId: string | null }> {
  if (companyId && !(await companyExists(tx, companyId))) {
    problems.missing('There is no such company.', 'companyId');
    return { companyId, contactId };
  }
  if (!contactId) return { companyId, contactId };
  const contact = await findContact(tx, contactId);
  if (!contact) problems.missing('There is no such contact.', 'contactId');
  else if (companyId && contact.companyId !== companyId)
    problems.invalid('OTHER_COMPANY', 'The contact does not belong to the company.', pathOfMismatch);
  return { companyId: companyId ?? contact?.companyId ?? null, contactId };
}

/** A template that can be chosen for this company. */
export async function checkTemplate(
  tx: Transaction,
  problems: Problems,
  templateId: string | null,
  companyId: string | null,
): Promise<TemplateRow | null> {
  if (!templateId) return null;
  const template = await findTemplate(tx, templateId);
  if (!template?.active) {
    problems.missing('There is no such request template.', 'templateId');
    return null;
  }
  if (template.companyId && template.companyId !== companyId)
    problems.invalid('OTHER_COMPANY', 'The template is for another company.', 'templateId');
  return template;
}

/** Only tags of the list; each once. */
export async function checkTags(tx: Transaction, problems: Problems, tagIds: readonly string[]): Promise<string[]> {
  const ids = [...new Set(tagIds)];
  if (ids.length > MAX_TAGS) problems.invalid('TOO_MANY', `At most ${MAX_TAGS} tags at once.`, 'tagIds');
  else if (ids.length > 0) {
    const known = await findTagIds(tx, ids);
    for (const [index, id] of tagIds.entries())
      if (!known.has(id)) problems.missing('There is no such tag.', 'tagIds', String(index));
  }
  return ids;
}

/** Files of this conversation's messages, and what the actor uploaded; those of others do not exist. */
export async function checkFiles(
  tx: Transaction,
  problems: Problems,
  given: { attachmentIds: readonly string[]; conversationId: string | null },
  actor: Actor,
): Promise<string[]> {
  const ids = [...new Set(given.attachmentIds)];
  if (ids.length > MAX_FILES) problems.invalid('TOO_MANY', `At most ${MAX_FILES} files at once.`, 'attachmentIds');
  else if (ids.length > 0) {
    const known = new Map((await findAttachments(tx, ids)).map((row) => [row.id, row]));
    for (const [index, id] of given.attachmentIds.entries())
      checkFile(problems, known.get(id), given.conversationId, actor, String(index));
  }
  return ids;
}

function checkFile(
  problems: Problems,
  file: AttachmentRow | undefined,
  conversationId: string | null,
  actor: Actor,
  index: string,
): void {
  if (!file || !mayUse(file, conversationId, actor))
    return problems.missing('There is no such file.', 'attachmentIds', index);
  if (file.state === 'FAILED' || file.state === 'EXPIRED')
    problems.add(new AttachmentRejectedError('The file is gone.', {}, ['input', 'attachmentIds', index]));
}

function mayUse(file: AttachmentRow, conversationId: string | null, actor: Actor): boolean {
  if (file.conversationId !== null) return file.conversationId === conversationId;
  return file.uploadedById !== null && file.uploadedById === (actor.operatorId ?? actor.tokenId);
}
