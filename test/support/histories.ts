import fc from 'fast-check';
import type { Element } from './payloads.ts';

/** What happened in one conversation, as elements of webhooks that refer to each other; the order is the test's. */
export type History = { elements: { field: 'messages' | 'smb_message_echoes' | 'statuses'; element: Element }[] };

export type Shape = {
  /** Minutes after the beginning; two may be the same second. */
  messages: number[];
  echoes: number[];
  edits: { target: number; minute: number }[];
  revokes: { target: number; minute: number }[];
  reactions: { target: number; minute: number; emoji: string | null }[];
  statuses: { target: number; word: string; minute: number }[];
};

const minute = fc.integer({ min: 0, max: 60 });
const target = fc.nat({ max: 9 });

export const shapes: fc.Arbitrary<Shape> = fc.record({
  messages: fc.array(minute, { minLength: 1, maxLength: 6 }),
  echoes: fc.array(minute, { maxLength: 3 }),
  edits: fc.array(fc.record({ target, minute }), { maxLength: 4 }),
  revokes: fc.array(fc.record({ target, minute }), { maxLength: 2 }),
  reactions: fc.array(fc.record({ target, minute, emoji: fc.constantFrom('👍', '❤️', null) }), { maxLength: 3 }),
  statuses: fc.array(
    fc.record({ target, minute, word: fc.constantFrom('sent', 'delivered', 'read', 'failed', 'played', 'in_orbit') }),
    { maxLength: 6 },
  ),
});

/** The same shape told of one customer; ids carry the prefix, so that two tellings do not meet. */
export function historyOf(shape: Shape, customer: string, prefix: string, begin: Date): History {
  const business = '420777000111';
  const stamp = (minutes: number) => String(Math.floor(begin.getTime() / 1000) + minutes * 60);
  const messageId = (n: number) => `${prefix}.m${n % shape.messages.length}`;
  const echoId = (n: number) => `${prefix}.e${n % Math.max(1, shape.echoes.length)}`;
  const incoming = (id: string, minutes: number, more: Element) => ({
    field: 'messages' as const,
    element: { from: customer, id, timestamp: stamp(minutes), ...more },
  });
  return {
    elements: [
      ...shape.messages.map((at, n) => incoming(messageId(n), at, { type: 'text', text: { body: `text ${n}` } })),
      ...shape.echoes.map((at, n) => ({
        field: 'smb_message_echoes' as const,
        element: {
          from: business,
          to: customer,
          id: echoId(n),
          timestamp: stamp(at),
          type: 'text',
          text: { body: `echo ${n}` },
        },
      })),
      ...shape.edits.map(({ target: n, minute: at }, index) =>
        incoming(`${prefix}.edit${index}`, at, {
          type: 'edit',
          edit: { original_message_id: messageId(n), message: { type: 'text', text: { body: `edited ${index}` } } },
        }),
      ),
      ...shape.revokes.map(({ target: n, minute: at }, index) =>
        incoming(`${prefix}.revoke${index}`, at, { type: 'revoke', revoke: { original_message_id: messageId(n) } }),
      ),
      ...shape.reactions.map(({ target: n, minute: at, emoji }, index) =>
        incoming(`${prefix}.reaction${index}`, at, {
          type: 'reaction',
          reaction: { message_id: messageId(n), ...(emoji && { emoji }) },
        }),
      ),
      ...(shape.echoes.length === 0 ? [] : shape.statuses).map(({ target: n, word, minute: at }) => ({
        field: 'statuses' as const,
        element: { id: echoId(n), status: word, timestamp: stamp(at), recipient_id: customer },
      })),
    ],
  };
}

/** One body with these elements, in their order. */
export function bodyWith(phoneNumberId: string, elements: History['elements']): object {
  const metadata = { display_phone_number: '420777000111', phone_number_id: phoneNumberId };
  const changes = elements.map(({ field, element }) => ({
    field: field === 'statuses' ? 'messages' : field,
    value: {
      messaging_product: 'whatsapp',
      metadata,
      ...(field === 'messages' && { messages: [element] }),
      ...(field === 'smb_message_echoes' && { message_echoes: [element] }),
      ...(field === 'statuses' && { statuses: [element] }),
    },
  }));
  return { object: 'whatsapp_business_account', entry: [{ id: '100000000000001', changes }] };
}
