/** Webhook bodies in Meta's shape, for what the tests make up themselves. */
export type Element = Record<string, unknown>;

let counter = 0;

export function textMessage(told: { id?: string; from?: string; text?: string; at?: Date } = {}): Element {
  counter += 1;
  return {
    from: told.from ?? '420601000001',
    id: told.id ?? `wamid.made-${counter}`,
    timestamp: secondsOf(told.at ?? new Date()),
    type: 'text',
    text: { body: told.text ?? 'Dobrý den' },
  };
}

export function statusOf(told: {
  id: string;
  status: string;
  at?: Date;
  opaque?: string;
  errors?: unknown[];
}): Element {
  return {
    id: told.id,
    status: told.status,
    timestamp: secondsOf(told.at ?? new Date()),
    recipient_id: '420601000001',
    ...(told.opaque !== undefined && { biz_opaque_callback_data: told.opaque }),
    ...(told.errors && { errors: told.errors }),
  };
}

export function batchOf(phoneNumberId: string, messages: Element[], statuses: Element[] = []) {
  const value = {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: '420777000111', phone_number_id: phoneNumberId },
    contacts: [...new Set(messages.map((message) => message.from))].map((from) => ({
      profile: { name: `Customer ${String(from)}` },
      wa_id: from,
    })),
    ...(messages.length > 0 && { messages }),
    ...(statuses.length > 0 && { statuses }),
  };
  return {
    object: 'whatsapp_business_account',
    entry: [{ id: '100000000000001', changes: [{ field: 'messages', value }] }],
  };
}

function secondsOf(at: Date): string {
  return String(Math.floor(at.getTime() / 1000));
}
