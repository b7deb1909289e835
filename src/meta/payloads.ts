/** Bodies of `POST /{phone-number-id}/messages`. Pure; what may be sent is decided before. */

export type Recipient = { number: string } | { userId: string };

export type MediaKind = 'image' | 'video' | 'audio' | 'document' | 'sticker';

export type MessagePayload = { [key: string]: unknown };

type Addressed = {
  recipient: Recipient;
  /** Our message id: comes back in every status, and so names the message whose answer was lost. */
  opaqueId: string;
  /** Provider id of the quoted message. */
  quotedId?: string | null;
};

/**
 * Whom to write to. The id of the last message wins over the business-scoped one, because a number reaches the customer
 * under every kind of template; some senders put a business-scoped id into the number's field.
 */
export function recipientOf(ids: { waId: string | null; userId: string | null }): Recipient | null {
  if (ids.waId !== null && !isUserId(ids.waId)) return { number: ids.waId };
  const userId = ids.userId ?? ids.waId;
  return userId === null ? null : { userId };
}

export function isUserId(id: string): boolean {
  return /^[A-Z]{2}\./.test(id);
}

export function textPayload(message: Addressed & { text: string; previewUrl?: boolean }): MessagePayload {
  return { ...envelope(message), type: 'text', text: { body: message.text, preview_url: message.previewUrl ?? false } };
}

export function reactionPayload(
  message: Omit<Addressed, 'quotedId'> & { targetId: string; emoji: string | null },
): MessagePayload {
  // An empty emoji removes the reaction.
  return {
    ...envelope(message),
    type: 'reaction',
    reaction: { message_id: message.targetId, emoji: message.emoji ?? '' },
  };
}

export function mediaPayload(
  message: Addressed & {
    kind: MediaKind;
    mediaId: string;
    caption?: string | null;
    filename?: string | null;
    isVoice?: boolean;
  },
): MessagePayload {
  const { kind, mediaId, caption, filename, isVoice } = message;
  const canCaption = kind === 'image' || kind === 'video' || kind === 'document';
  const media = {
    id: mediaId,
    ...(canCaption && caption ? { caption } : {}),
    ...(kind === 'document' && filename ? { filename } : {}),
    ...(kind === 'audio' && isVoice ? { voice: true } : {}),
  };
  return { ...envelope(message), type: kind, [kind]: media };
}

/** `components` as Meta wants them; the caller has filled in the values. */
export function templatePayload(
  message: Addressed & { name: string; language: string; components: readonly unknown[] },
): MessagePayload {
  const { name, language, components } = message;
  const filled = components.length > 0 ? { components } : {};
  return { ...envelope(message), type: 'template', template: { name, language: { code: language }, ...filled } };
}

export function readPayload(messageId: string, showTyping: boolean): MessagePayload {
  const typing = showTyping ? { typing_indicator: { type: 'text' } } : {};
  return { messaging_product: 'whatsapp', status: 'read', message_id: messageId, ...typing };
}

function envelope(message: Addressed): MessagePayload {
  return {
    messaging_product: 'whatsapp',
    recipient_type: 'individual',
    ...address(message.recipient),
    ...(message.quotedId ? { context: { message_id: message.quotedId } } : {}),
    biz_opaque_callback_data: message.opaqueId,
  };
}

// Without the + Meta puts the business number's country code in front.
function address(recipient: Recipient): MessagePayload {
  if ('userId' in recipient) return { recipient: recipient.userId };
  return { to: `+${recipient.number.replaceAll(/\D/g, '')}` };
}
