import { conversationKey, customerId, messageId } from './ids.ts';
import type { CustomerMessage, Posted, SandboxNumber, StatusWord } from './options.ts';
import type { State } from './state.ts';
import { messagesBody, seconds, statusBody } from './webhook-bodies.ts';
import type { Customer } from './webhook-bodies.ts';

/** A customer's message arrives: builds the webhook, signs it and posts it. */
export async function customerWrites(state: State, message: CustomerMessage): Promise<Posted & { wamid: string }> {
  const number = businessNumber(state, message.phoneNumberId);
  const customer = remember(state, message);
  const key = customer.waId ?? customer.userId ?? '';
  const at = message.at ?? new Date();
  const wamid = message.wamid ?? messageId('incoming', key, state.ids);

  const element = {
    ...(customer.waId === null ? {} : { from: customer.waId }),
    ...(customer.userId === null ? {} : { from_user_id: customer.userId }),
    id: wamid,
    timestamp: seconds(at),
    ...(message.contextId === undefined ? {} : { context: context(state, number, message.contextId, customer) }),
    ...content(state, message),
  };
  noteTime(state, conversationKey(number.id, key), at);
  const posted = await state.poster.post(messagesBody(state.businessAccountId, number, customer, [element]));
  return { ...posted, wamid };
}

/** A status beside the planned ones; throws for a message that was not sent through this sandbox. */
export async function postStatus(state: State, wamid: string, status: StatusWord, errorCode?: number): Promise<Posted> {
  const entry = state.ledger.find(wamid);
  if (entry === undefined) throw new Error(`No message ${wamid} was sent through this sandbox`);

  entry.statuses.push(status);
  const error = errorCode === undefined ? {} : { error: { code: errorCode } };
  const event = { entry, status, at: new Date(), category: 'service', ...error };
  return state.poster.post(statusBody(state.businessAccountId, businessNumber(state, entry.phoneNumberId), event));
}

function businessNumber(state: State, id: string): SandboxNumber {
  const number = state.phoneNumbers.find((one) => one.id === id);
  if (number === undefined) throw new Error(`The sandbox has no business number ${id}`);
  return number;
}

function remember(state: State, { from, userId, name }: CustomerMessage): Customer {
  const waId = from === undefined ? null : customerId(from);
  if (waId === null && userId === undefined) throw new Error('A customer needs a number or a business-scoped id');

  const known = state.customers.get(waId ?? userId ?? '');
  const customer = { waId, userId: userId ?? known?.userId ?? null, name: name ?? known?.name ?? null };
  if (waId !== null) state.customers.set(waId, customer);
  if (customer.userId !== null) state.customers.set(customer.userId, customer);
  return customer;
}

function context(state: State, number: SandboxNumber, id: string, customer: Customer): Record<string, string> {
  const isOurs = state.ledger.find(id) !== undefined;
  const from = isOurs ? number.displayPhoneNumber.replaceAll(/\D/g, '') : customer.waId;
  return from === null ? { id } : { from, id };
}

function content(state: State, { text, message, media }: CustomerMessage): Record<string, unknown> {
  if (message !== undefined) return message;
  if (media === undefined) return { type: 'text', text: { body: text ?? '' } };

  const { type, caption, filename } = media;
  const stored = state.media.add({ content: media.content, mimeType: media.mimeType, filename: filename ?? null });
  const body = {
    ...(caption === undefined ? {} : { caption }),
    ...(filename === undefined ? {} : { filename }),
    mime_type: stored.mimeType,
    // Base64 in webhooks, hexadecimal in the Graph API's answer.
    sha256: Buffer.from(stored.sha256, 'hex').toString('base64'),
    id: stored.id,
    ...(type === 'audio' ? { voice: stored.mimeType.includes('opus') } : {}),
  };
  return { type, [type]: body };
}

// An old message that arrives late does not shorten the window.
function noteTime(state: State, key: string, at: Date): void {
  state.lastWroteAt.set(key, Math.max(state.lastWroteAt.get(key) ?? 0, at.getTime()));
}
