import { setTimeout as pause } from 'node:timers/promises';
import { planStatuses } from './delivery.ts';
import { isAnswerFault, isDeliveryFault } from './faults.ts';
import type { DeliveryFault } from './faults.ts';
import { graphError } from './graph-error.ts';
import { conversationKey, customerId, directionOf, isUserId, messageId } from './ids.ts';
import type { LedgerEntry } from './ledger.ts';
import { checkMessage } from './message-rules.ts';
import type { Payload } from './message-rules.ts';
import type { SandboxNumber } from './options.ts';
import { misbehave, ok } from './reply.ts';
import type { Reply } from './reply.ts';
import type { State } from './state.ts';
import { checkTemplateMessage } from './template-rules.ts';
import { statusBody } from './webhook-bodies.ts';

const windowMs = 24 * 60 * 60 * 1_000;

/** POST /{phone-number-id}/messages */
export async function postMessage(state: State, number: SandboxNumber, payload: Payload): Promise<Reply> {
  if (payload.messaging_product !== 'whatsapp') {
    throw graphError(100, "The parameter messaging_product is required and must be 'whatsapp'.");
  }
  if (payload.status !== undefined) return markRead(state, number, payload);

  const { input, type } = checkMessage(payload);
  const to = customerId(input);
  const category = type === 'template' ? checkTemplateMessage(state.templates, payload) : 'service';
  if (type !== 'template') checkWindow(state, number, to);
  state.quota.take(number.id, to, state.limits, Date.now());

  const call = { kind: 'messages', phoneNumberId: number.id, to, text: JSON.stringify(payload) } as const;
  const faults = state.faults.strike(call);
  if (state.delays.answerMs > 0) await pause(state.delays.answerMs, undefined, { ref: false });
  return misbehave(faults.filter(isAnswerFault), () =>
    accept(state, number, { payload, input, to, type, category }, faults.filter(isDeliveryFault)),
  );
}

type Checked = { payload: Payload; input: string; to: string; type: string; category: string };

async function accept(
  state: State,
  number: SandboxNumber,
  { payload, input, to, type, category }: Checked,
  faults: DeliveryFault[],
): Promise<Reply> {
  const entry = state.ledger.add({
    kind: 'message',
    providerId: messageId('outgoing', to, state.ids),
    phoneNumberId: number.id,
    to,
    payload,
    opaqueData: typeof payload.biz_opaque_callback_data === 'string' ? payload.biz_opaque_callback_data : null,
    receivedAt: new Date(),
  });
  const deliver = (): Promise<void> => startStatuses(state, number, entry, { type, category, faults });
  const body = {
    messaging_product: 'whatsapp',
    contacts: [{ input, ...(isUserId(to) ? { user_id: to } : { wa_id: to }) }],
    messages: [{ id: entry.providerId, ...(type === 'template' ? { message_status: 'accepted' } : {}) }],
  };
  if (!faults.some(({ kind }) => kind === 'status-first')) return { ...ok(body), afterwards: () => void deliver() };
  await deliver();
  return ok(body);
}

function startStatuses(
  state: State,
  number: SandboxNumber,
  entry: LedgerEntry,
  { type, category, faults }: { type: string; category: string; faults: DeliveryFault[] },
): Promise<void> {
  const plan = planStatuses(state.delays, faults, type === 'reaction');
  return state.deliveries.start(plan, async ({ status, happensMs, error }) => {
    const at = new Date(entry.receivedAt.getTime() + happensMs);
    entry.statuses.push(status);
    const event = { entry, status, at, category, ...(error === undefined ? {} : { error }) };
    await state.poster.post(statusBody(state.businessAccountId, number, event));
  });
}

function markRead(state: State, number: SandboxNumber, payload: Payload): Reply {
  const id = typeof payload.message_id === 'string' ? payload.message_id : '';
  const direction = directionOf(id);
  if (payload.status !== 'read' || direction === null) {
    throw graphError(100, 'Please check the message ID you have provided.');
  }
  if (direction === 'outgoing') {
    const why = 'is outgoing. Please use an incoming message ID.';
    throw graphError(100, `Message supplied to mark message as read API with message ID: ${id} ${why}`);
  }
  const kind = payload.typing_indicator === undefined ? 'mark-read' : 'typing';
  const common = { phoneNumberId: number.id, to: null, opaqueData: null, receivedAt: new Date() };
  state.ledger.add({ kind, providerId: id, payload, ...common });
  return ok({ success: true });
}

function checkWindow(state: State, number: SandboxNumber, to: string): void {
  if (!state.limits.enforceWindow) return;
  const lastMs = state.lastWroteAt.get(conversationKey(number.id, to)) ?? Number.NEGATIVE_INFINITY;
  if (Date.now() - lastMs < windowMs) return;
  throw graphError(
    131047,
    'Message failed to send because more than 24 hours have passed since the customer last replied to this number.',
  );
}
