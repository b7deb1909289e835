/** Bodies made by hand, for what no sample shows. */

export const phoneNumberId = '106540352242922';

const metadata = { display_phone_number: '15550783881', phone_number_id: phoneNumberId };

export function changeOf(value: object, field: string | null = 'messages'): object {
  return { value: { messaging_product: 'whatsapp', metadata, ...value }, ...(field && { field }) };
}

export function bodyOf(...changes: unknown[]): object {
  return { object: 'whatsapp_business_account', entry: [{ id: '102290129340398', changes }] };
}

/** A body with these messages and nothing else. */
export function messagesBody(...messages: unknown[]): object {
  return bodyOf(changeOf({ messages }));
}

export function textMessage(id: string, body: string, more: object = {}): Record<string, unknown> {
  return { from: '420777123456', id, timestamp: '1739321024', type: 'text', text: { body }, ...more };
}
