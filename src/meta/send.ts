import { z } from 'zod';
import type { CallOutcome, Failed, Unknown } from './outcome.ts';
import { readPayload } from './payloads.ts';
import type { MessagePayload } from './payloads.ts';
import { repeatable, succeeded } from './transport.ts';
import type { Transport } from './transport.ts';
import type { Usage } from './usage.ts';

/** "Accepted" is not "delivered": Meta accepts numbers that are not on WhatsApp, too. */
export type Accepted = {
  kind: 'accepted';
  providerId: string;
  /** The id under which Meta knows the recipient; may differ from the number that was given. */
  waId: string | null;
  userId: string | null;
  /** For templates: accepted, held_for_quality_assessment or paused. */
  messageStatus: string | null;
  usage: Usage | null;
};

export type SendOutcome = Accepted | Failed | Unknown;

const sendAnswer = z.object({
  messages: z.tuple([z.object({ id: z.string().min(1), message_status: z.string().optional() })], z.unknown()),
  contacts: z
    .array(z.object({ wa_id: z.string().optional(), user_id: z.string().optional() }))
    .optional()
    .catch(undefined),
});

/** Never repeats by itself: there is no idempotency key, and only the caller knows what it has recorded. */
export async function sendMessage(
  transport: Transport,
  phoneNumberId: string,
  accessToken: string,
  payload: MessagePayload,
): Promise<SendOutcome> {
  const request = {
    method: 'POST',
    path: `${encodeURIComponent(phoneNumberId)}/messages`,
    accessToken,
    json: payload,
  } as const;
  const called = await transport.call(request, (body) => sendAnswer.safeParse(body).data ?? null);
  if (called.kind !== 'answered') return called;

  const [message] = called.value.messages;
  const contact = called.value.contacts?.[0];
  return {
    kind: 'accepted',
    providerId: message.id,
    waId: contact?.wa_id ?? null,
    userId: contact?.user_id ?? null,
    messageStatus: message.message_status ?? null,
    usage: called.usage,
  };
}

/** Only incoming messages can be marked; Meta refuses the id of an outgoing one. */
export async function markRead(
  transport: Transport,
  phoneNumberId: string,
  accessToken: string,
  messageId: string,
  options: { typing?: boolean } = {},
): Promise<CallOutcome<null>> {
  const path = `${encodeURIComponent(phoneNumberId)}/messages`;
  const json = readPayload(messageId, options.typing ?? false);
  const called = await transport.call(
    { method: 'POST', path, accessToken, json },
    (body) => succeeded.safeParse(body).data ?? null,
  );
  return repeatable(called, () => null);
}
