import { v7 as uuid } from 'uuid';
import type { Database } from '../db/database.ts';
import type { Content } from '../db/content.ts';
import type { ConversationRow } from '../db/rows.ts';
import { insertConversations, lockInvolvedConversations } from '../db/statements/conversations.ts';
import { findTemplateToSend, markTemplateUsed, type TemplateToSend } from '../db/statements/templates.ts';
import { transaction, type Transaction } from '../db/transaction.ts';
import { Failure, NotFoundError, TemplateNotUsableError, TemplateParameterError, ValidationError } from '../errors.ts';
import type { Actor } from './actor.ts';
import { requireAddressee } from './addressee.ts';
import type { Rules } from './changes.ts';
import { asNamed, claimKey, type NamedConversation } from './idempotency.ts';
import { authorOf, lockConversation, outgoingMessage, sendLater, type Sent } from './messages.ts';
import { newConversation } from './new-conversation.ts';
import { normalisePhoneNumber } from './phone-numbers.ts';
import { lostRace } from './receiving/race.ts';
import { participantKeys, participantSearch, People } from './receiving/people.ts';
import { findOwnFiles } from './send-files.ts';
import { withGivenCards } from './templates/cards.ts';
import { sendComponents } from './templates/components.ts';
import type { ValueMeaning } from './templates/meanings.ts';
import { templateParts, type TemplatePart } from './templates/parts.ts';
import { renderTemplate } from './templates/render.ts';
import {
  checkValues,
  hasProblems,
  keyOf,
  textOfValue,
  type FilledValues,
  type TemplateLocation,
} from './templates/values.ts';
import { templateVariables } from './templates/variables.ts';

export type TemplateParameter = {
  key: string;
  value: string | null;
  attachmentId: string | null;
  location: TemplateLocation | null;
  meaning?: ValueMeaning | undefined;
};

export type TemplateSend = { templateId: string; parameters: TemplateParameter[]; idempotencyKey: string };

/** Queues a template, inside or outside the window. Everything that is wrong with its values is told at once. */
export async function sendTemplate(
  db: Database,
  actor: Actor,
  send: TemplateSend & NamedConversation,
  rules: Rules,
): Promise<Sent> {
  return transaction(db, async (tx) => {
    const id = uuid();
    const replayed = await claimSend(tx, actor, 'template', asNamed(send), id);
    if (replayed) return { messageId: replayed, conversationId: send.conversationId, replayed: true };
    const conversation = await lockConversation(tx, send.conversationId);
    return queueTemplate(tx, actor, conversation, { ...send, id }, rules);
  });
}

/** Writes first to a customer who may never have written. */
export async function startConversation(
  db: Database,
  actor: Actor,
  start: TemplateSend & { businessNumberId: string; phoneNumber: string },
  rules: Rules,
): Promise<Sent> {
  const number = normalisePhoneNumber(start.phoneNumber);
  if (!number.ok) throw new Failure(new ValidationError(number.rule, number.message, ['input', 'phoneNumber']));
  return transaction(db, async (tx) => {
    const id = uuid();
    const replayed = await claimSend(tx, actor, 'start', { ...start, phoneNumber: number.value }, id);
    if (replayed) return { messageId: replayed, conversationId: await conversationOf(tx, replayed), replayed: true };
    const conversation = await findOrBegin(tx, start.businessNumberId, number.value);
    return queueTemplate(tx, actor, conversation, { ...start, id }, rules);
  });
}

function claimSend(
  tx: Transaction,
  actor: Actor,
  operation: string,
  { idempotencyKey, ...content }: TemplateSend & Record<string, unknown>,
  resultId: string,
): Promise<string | null> {
  return claimKey(tx, { actor: actor.key, key: idempotencyKey, operation, content, resultId });
}

async function conversationOf(tx: Transaction, messageId: string): Promise<string> {
  const [row] = await tx.query<{ id: string }>('SELECT conversation_id AS id FROM message WHERE id = $1', [messageId]);
  if (!row) throw new Failure(new NotFoundError('The first result is gone.', ['input', 'idempotencyKey']));
  return row.id;
}

async function findOrBegin(tx: Transaction, businessNumberId: string, phoneNumber: string): Promise<ConversationRow> {
  const identity = { waId: phoneNumber.slice(1), userId: null, profileName: null };
  const people = await People.load(tx, participantKeys([identity]));
  const participant = people.find(identity) ?? people.resolve(identity);
  await people.saveNew(tx);
  const pair = { businessNumberId, participantId: participant.id };
  const [known] = await lockInvolvedConversations(tx, { pairs: [pair], providerIds: [], messageIds: [] });
  if (known) return known;
  const search = participantSearch(participant);
  const conversation = newConversation({ ...pair, at: tx.now, participantSearch: search, now: tx.now });
  const inserted = await insertConversations(tx, [conversation]);
  if (inserted.length === 0) throw lostRace('conversation');
  return conversation;
}

async function queueTemplate(
  tx: Transaction,
  actor: Actor,
  conversation: ConversationRow,
  send: TemplateSend & { id: string },
  rules: Rules,
): Promise<Sent> {
  const addressee = await requireAddressee(tx, conversation.id);
  const template = await findTemplateToSend(tx, send.templateId);
  if (!template) throw new Failure(new NotFoundError('There is no such template.', ['input', 'templateId']));
  requireUsable(template, addressee.marketingStoppedAt !== null);
  const { parts, filled, fileIds } = await fillTemplate(tx, actor, template, send.parameters);
  const content = contentOf(template, parts, filled);
  const message = {
    ...outgoingMessage({ kind: 'TEMPLATE', content, media: null }, tx.now),
    ...authorOf(actor),
    id: send.id,
    clientKey: send.idempotencyKey,
    templateId: template.id,
    payload: { components: sendComponents(parts, filled) },
  };
  const sent = await sendLater(tx, conversation, message, fileIds, rules);
  await markTemplateUsed(tx, template.id);
  return sent;
}

/** Refuses what Meta would refuse; also asked again when a failed one is retried. */
export function requireUsable(template: TemplateToSend, isMarketingStopped: boolean): void {
  if (template.status !== 'APPROVED')
    throw new Failure(
      new TemplateNotUsableError(`The template is ${template.status}: choose an approved one.`, template.id),
    );
  if (template.category === 'MARKETING' && isMarketingStopped)
    throw new Failure(
      new TemplateNotUsableError('The customer has stopped marketing messages: choose another template.', template.id),
    );
}

async function fillTemplate(tx: Transaction, actor: Actor, template: TemplateToSend, parameters: TemplateParameter[]) {
  const ids = parameters.flatMap(({ attachmentId }) => attachmentId ?? []);
  const files = new Map((await findOwnFiles(tx, actor, ids)).map((file) => [file.id, file]));
  const keys = parameters.map(({ key }) => keyOf(key));
  const parts = withGivenCards(templateParts(template.components, template.category), keys);
  const given = parameters.map(({ attachmentId, ...parameter }) => ({
    ...parameter,
    file: attachmentId === null ? undefined : (files.get(attachmentId) ?? null),
  }));
  const { filled, problems } = checkValues(templateVariables(parts), given);
  if (hasProblems(problems)) throw new Failure(new TemplateParameterError(problems));
  return { parts, filled, fileIds: [...files.keys()] };
}

/** What the customer reads is kept with the message: the template may change tomorrow. */
function contentOf(template: TemplateToSend, parts: TemplatePart[], filled: FilledValues): Content {
  const { header, body, footer } = renderTemplate(parts, (key) => textOfValue(filled.get(key)));
  const parameters = [...filled].map(([key, value]) => ({
    key,
    value: textOfValue(value),
    attachmentId: value.kind === 'file' ? value.file.id : null,
  }));
  return { type: 'template', name: template.name, language: template.language, header, body, footer, parameters };
}
