import type { Random } from './random.ts';

/** Meta's message ids are base64 of the customer's number, a direction and random digits; ours are built alike. */
const markers = { incoming: [0x12, 0x18, 0x20], outgoing: [0x11, 0x18, 0x12] } as const;

export type Direction = keyof typeof markers;

export function messageId(direction: Direction, customer: string, random: Random): string {
  const digits = random.hex(direction === 'incoming' ? 32 : 18);
  const head = Buffer.from([0x1c, 0x18, customer.length, ...Buffer.from(customer), 0x15, 0x02, 0x00]);
  const tail = Buffer.from([...markers[direction], ...Buffer.from(digits), 0x00]);
  return `wamid.${Buffer.concat([head, tail]).toString('base64')}`;
}

/**
 * Read back from the id itself, so that ids of an earlier run of the sandbox are still told apart; null for what is no
 * id of Meta's at all.
 */
export function directionOf(id: string): Direction | 'unclear' | null {
  if (!id.startsWith('wamid.')) return null;
  const bytes = Buffer.from(id.slice('wamid.'.length), 'base64');
  const marker = bytes[3 + (bytes[2] ?? 0) + 3];
  if (marker === markers.incoming[0]) return 'incoming';
  return marker === markers.outgoing[0] ? 'outgoing' : 'unclear';
}

/** Digits of a number however it was typed, or the business-scoped id as it is. */
export function customerId(typed: string): string {
  return isUserId(typed) ? typed : typed.replaceAll(/[+\s()-]/g, '');
}

export function isUserId(id: string): boolean {
  return /^[A-Z]{2}\./.test(id);
}

export function conversationKey(phoneNumberId: string, customer: string): string {
  return `${phoneNumberId} ${customer}`;
}
