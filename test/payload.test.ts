import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Item } from '../src/services/receiving/items.ts';
import { parsePayload } from '../src/webhooks/payload.ts';
import { at, elementsOf, isChange } from './support/elements.ts';
import { fixture, fixtureNames } from './support/fixtures.ts';
import { mutated, nastyValue } from './support/nasty.ts';
import { bodyOf, changeOf, messagesBody, textMessage } from './support/raw-bodies.ts';

const names = fixtureNames('payloads').filter((name) => name.endsWith('.json'));

/** Which items the samples hold, by the beginning of their names; the first line that fits counts. */
const expected: [name: RegExp, items: string][] = [
  [/^messages-text\+message_template_status_update/, 'TEXT template'],
  [/^messages-text\+messages-notype\+messages-reaction/, 'TEXT LOCATION reaction STICKER preference preference'],
  [/^messages-text\+messages-reaction/, 'TEXT reaction'],
  [/^messages-text\+user_preferences/, 'TEXT preference'],
  [/^messages-text\.x2/, 'TEXT TEXT'],
  [/^(messages-text|smb_message_echoes-text|malformed-entry)/, 'TEXT'],
  [/^(messages|history)-image/, 'IMAGE'],
  [/^messages-video/, 'VIDEO'],
  [/^messages-audio-voice/, 'VOICE'],
  [/^messages-audio/, 'AUDIO'],
  [/^messages-document/, 'DOCUMENT'],
  [/^messages-sticker/, 'STICKER'],
  [/^messages-location/, 'LOCATION'],
  [/^messages-contacts/, 'CONTACTS'],
  [/^messages-(button|interactive-\w+|order)/, 'INTERACTIVE_REPLY'],
  [/^messages-interactive--/, 'UNSUPPORTED account'],
  [/^messages-unsupported/, 'UNSUPPORTED'],
  [/^messages-(request_welcome|system-customer_identity_changed)/, 'SYSTEM'],
  [/^messages-system-user_changed_number/, 'identity-change'],
  [/^messages-reaction/, 'reaction'],
  [/^(messages|smb_message_echoes)-edit/, 'edit'],
  [/^(messages|smb_message_echoes)-revoke/, 'revoke'],
  [/^history-chunk/, 'TEXT UNSUPPORTED TEXT TEXT'],
  [/^(message_template_|template_category|messages-other-event-message_template_id)/, 'template'],
  [/^(account_|phone_number_|business_capability|security|flows|messages-valueerrors|messages-other-event)/, 'account'],
  [/^status-/, 'status'],
  [/^user_preferences/, 'preference'],
  [/^calls-status/, 'unknown'],
  [/^calls-terminate/, 'call account'],
  [/^calls-/, 'call'],
  [/^no-changes/, ''],
  [/^(automatic_events|group_|partner_solutions|payment_configuration|smb_app_state_sync)/, 'unknown'],
  // A field that promises a template and holds none, and fields that do not exist.
  [/^(template_status_update|invalid_field|unknown_field_xyz)/, 'unknown'],
];

describe('every sample body', () => {
  it.each(names)('%s becomes the items that its name says', (name) => {
    const { items } = parsePayload(fixture(`payloads/${name}`));

    expect(items.map(wordOf).join(' ')).toBe(expected.find(([pattern]) => pattern.test(name))?.[1]);
    expect(items.length).toBe(elementsOf(fixture(`payloads/${name}`)).length);
  });

  it.each(names.filter((name) => name.startsWith('messages-')))('%s keeps every text', (name) => {
    const body = fixture(`payloads/${name}`);

    const told = JSON.stringify(parsePayload(body).items);

    for (const text of textsOf(body)) expect(told).toContain(JSON.stringify(text));
  });
});

describe('any body made out of a sample', () => {
  const mutation = fc.record({
    name: fc.constantFrom(...names),
    cuts: fc.array(fc.tuple(fc.nat(), nastyValue()), { minLength: 1, maxLength: 4 }),
  });

  it('is read without an error into storable texts', () => {
    fc.assert(
      fc.property(mutation, ({ name, cuts }) => {
        const { items } = parsePayload(mutated(fixture(`payloads/${name}`), cuts));

        for (const item of items) expect(isStorable(JSON.stringify(item))).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  it('has one item for each of its elements, whatever they are', () => {
    fc.assert(
      fc.property(mutation, ({ name, cuts }) => {
        const body = fixture(`payloads/${name}`);
        const before = parsePayload(body).items;
        const elements = elementsOf(body).filter(({ list, index }) => !isChange(list[index]));
        for (const { list, index } of elements) list[index] = mutated({ element: list[index] }, cuts, 'element');

        expect(parsePayload(body).items.length).toBe(before.length);
      }),
      { numRuns: 3_000 },
    );
  });

  it('keeps the neighbours of an element that nobody can read', () => {
    fc.assert(
      fc.property(nastyValue(), fc.nat(3), (bad, place) => {
        const good: unknown[] = ['a', 'b', 'c'].map((id) => textMessage(id, `text of ${id}`));

        const { items } = parsePayload(messagesBody(...good.toSpliced(place, 0, bad)));

        expect(items.toSpliced(place, 1)).toEqual(parsePayload(messagesBody(...good)).items);
      }),
    );
  });

  it('is read whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(nastyValue(), fc.jsonValue()), (value) => {
        for (const body of [
          value,
          { entry: value },
          bodyOf(value),
          bodyOf({ field: 'messages', value }),
          bodyOf(changeOf({ messages: value, contacts: value })),
        ]) {
          expect(isStorable(JSON.stringify(parsePayload(body).items))).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

it('tells the object that a body is about', () => {
  expect(parsePayload({ object: 'page', entry: [] })).toEqual({ object: 'page', items: [] });
  expect(parsePayload({ entry: [] }).object).toBeNull();
});

it('walks all entries, changes and elements of one body', () => {
  const changes = (entry: number) => [
    changeOf({ messages: [1, 2, 3].map((id) => textMessage(`m${entry}.${id}`, 'Ahoj')) }),
    changeOf({ statuses: [1, 2].map((id) => ({ id: `s${entry}.${id}`, status: 'sent', timestamp: '1739321024' })) }),
  ];
  const body = { object: 'whatsapp_business_account', entry: [1, 2].map((id) => ({ id, changes: changes(id) })) };

  const { items } = parsePayload(body);

  const ids = items.map((item) => ('providerId' in item ? item.providerId : item.type));
  expect(ids).toEqual(['m1.1', 'm1.2', 'm1.3', 's1.1', 's1.2', 'm2.1', 'm2.2', 'm2.3', 's2.1', 's2.2']);
});

it.each<[fact: string, body: unknown, words: string]>([
  ['no object at all', null, 'unknown'],
  ['no entry', { object: 'whatsapp_business_account' }, ''],
  ['an entry that is none', { entry: [null, 5] }, 'unknown unknown'],
  ['an entry of another product', { entry: [{ id: '1', standby: [{}] }] }, 'unknown'],
  [
    'one entry and one change without lists',
    { entry: { id: '1', changes: changeOf({ messages: textMessage('a', 'x') }) } },
    'TEXT',
  ],
  ['a change that is none', bodyOf(null, changeOf({ messages: [textMessage('a', 'x')] })), 'unknown TEXT'],
  ['a change without a field', bodyOf(changeOf({ messages: [textMessage('a', 'x')] }, null)), 'TEXT'],
  ['a change under the wrong field', bodyOf(changeOf({ statuses: [{ id: 'a', status: 'read' }] }, 'flows')), 'status'],
  ['a change without a value', bodyOf({ field: 'messages' }), 'unknown'],
  ['a list beside the field', bodyOf({ field: 'messages', messages: [textMessage('a', 'x')] }), 'TEXT'],
  ['a list of an unknown name', bodyOf(changeOf({ polls: [{ id: 1 }, { id: 2 }] })), 'unknown unknown'],
  [
    'a list where the type of an element is inherited',
    messagesBody(textMessage('a', 'x', { type: 'constructor' })),
    'UNSUPPORTED',
  ],
  ['a message without an id', messagesBody({ from: '1', type: 'text' }), 'unknown'],
  ['a message without a customer', messagesBody({ id: 'a', type: 'text', text: { body: 'x' } }), 'unknown'],
  ['the same message twice', messagesBody(textMessage('a', 'x'), textMessage('a', 'x')), 'TEXT TEXT'],
  ['history without a thread', bodyOf(changeOf({ history: [{ threads: [] }, 7] }, 'history')), 'unknown unknown'],
  [
    'history with an unreadable thread',
    bodyOf(changeOf({ history: [{ threads: [null, { id: '1' }] }] }, 'history')),
    'unknown unknown',
  ],
  [
    'history that the owner does not share',
    bodyOf(changeOf({ history: [{ errors: [{ code: 2593109, title: 'No' }] }] }, 'history')),
    'account',
  ],
  ['an event without a field', bodyOf({ value: { decision: 'APPROVED', requested_verified_name: 'X' } }), 'account'],
])('%s is accounted for', (_fact, body, words) => {
  expect(parsePayload(body).items.map(wordOf).join(' ')).toBe(words);
});

it('says where an unknown element stands', () => {
  const body = {
    entry: [
      { id: '1', changes: [] },
      { id: '2', changes: [changeOf({ messages: [textMessage('a', 'x'), 'bad'] })] },
    ],
  };

  expect(parsePayload(body).items[1]).toEqual({
    type: 'unknown',
    path: 'entry[1].changes[0].value.messages[1]',
    field: 'messages',
    why: 'a message without an id',
  });
});

it('leaves the others alone when the reader itself fails', () => {
  const failing = Object.defineProperty({}, 'id', {
    get: () => {
      throw new Error('unforeseen');
    },
  });

  const { items } = parsePayload(messagesBody(textMessage('a', 'x'), failing, textMessage('b', 'y')));

  expect(items.map(wordOf)).toEqual(['TEXT', 'unknown', 'TEXT']);
});

it('survives a body that is nested without end', () => {
  const depth = 50_000;
  const nested: unknown = JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
  const form = `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  const interactive = { type: 'nfm_reply', nfm_reply: { name: 'flow', body: 'Sent', response_json: form } };

  const { items } = parsePayload(messagesBody(nested, textMessage('a', 'x', { type: 'interactive', interactive })));

  expect(items.map(wordOf)).toEqual(['unknown', 'INTERACTIVE_REPLY']);
});

/** The kind of a message, the type of anything else. */
function wordOf(item: Item): string {
  return item.type === 'message' ? item.kind : item.type;
}

function textsOf(body: unknown): unknown[] {
  return elementsOf(body).flatMap(({ list, index }) => at(at(list[index], 'text'), 'body') ?? []);
}

/** PostgreSQL keeps neither NUL nor lone surrogates, and JSON shows both as escapes. */
function isStorable(json: string): boolean {
  return !/(?<!\\)(\\\\)*\\u(0000|d[89a-f][0-9a-f]{2})/i.test(json);
}
