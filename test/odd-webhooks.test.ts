import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Item } from '../src/services/receiving/items.ts';
import { parsePayload } from '../src/webhooks/payload.ts';
import { createTestDatabase, runSql, type TestDatabase } from './support/database.ts';
import { startServerProcess, type ServerProcess } from './support/process.ts';
import { number1, postSigned } from './support/server.ts';

/** Odd, plausible, and in no sample: what Meta, a proxy or an older version may send. */
type Odd = [what: string, items: string, value: object, field?: string | null];

let ids = 0;
const metadata = { display_phone_number: number1.phoneNumber.slice(1), phone_number_id: number1.phoneNumberId };
const from = '420602000001';
const at = String(Math.floor(Date.now() / 1000) - 60);
const contacts = [{ profile: { name: 'Jana' }, wa_id: from }];
const message = (more: object) => ({ from, id: `wamid.odd-${(ids += 1)}`, timestamp: at, ...more });
const text = (more: object = {}) => message({ type: 'text', text: { body: 'text' }, ...more });
const status = (more: object) => ({ id: `wamid.odd-${(ids += 1)}`, status: 'sent', timestamp: at, ...more });
const said = (more: object) => ({ metadata, contacts, messages: [message(more)] });
const statuses = (more: object) => ({ metadata, statuses: [status(more)] });
const echoes = (more: object) => ({
  message_echoes: [text({ from: metadata.display_phone_number, to: from, ...more })],
});
const preference = { wa_id: from, category: 'marketing_messages', value: 'stop', timestamp: at };

const customers: Odd[] = [
  ['no contacts', 'TEXT', { metadata, messages: [text()] }],
  ['contacts that are null', 'TEXT', { metadata, contacts: null, messages: [text()] }],
  ['a contact that is no list', 'TEXT', { metadata, contacts: contacts[0], messages: [text()] }],
  ['a contact without a profile', 'TEXT', { metadata, contacts: [{ wa_id: from }], messages: [text()] }],
  ['numbers where texts should be', 'TEXT', { metadata, messages: [text({ from: +from, timestamp: +at, id: 17 })] }],
  ['a message that is no list', 'TEXT', { metadata, contacts, messages: text() }],
  ['a user id alone', 'TEXT', { metadata, messages: [text({ from: '', from_user_id: 'CZ.odd1' })] }],
  ['a parent user id', 'TEXT', { metadata, messages: [text({ from: undefined, from_user_id: 'CZ.ENT.odd2' })] }],
  [
    'a parent user id alone',
    'TEXT',
    { metadata, messages: [text({ from: undefined, from_parent_user_id: 'CZ.ENT.odd7' })] },
  ],
  ['a user id in the place of a number', 'TEXT', { metadata, messages: [text({ from: 'CZ.odd3' })] }],
  ['nobody', 'unknown', { metadata, messages: [text({ from: null })] }],
  [
    'nobody, beside two contacts',
    'unknown',
    { metadata, contacts: [{ wa_id: '1' }, { wa_id: '2' }], messages: [text({ from: null })] },
  ],
  ['no id', 'unknown', { metadata, contacts, messages: [text({ id: undefined })] }],
  ['no metadata', 'TEXT', { contacts, messages: [text()] }],
  ['no phone number id', 'TEXT', { metadata: { display_phone_number: '1' }, messages: [text()] }],
  [
    'messages beside statuses and errors',
    'TEXT status account',
    { metadata, contacts, messages: [text()], statuses: [status({})], errors: [{ code: 130429, title: 'Rate' }] },
  ],
  ['elements that are none', 'unknown unknown unknown TEXT', { metadata, contacts, messages: [null, 'x', 7, text()] }],
  ['nothing', 'unknown', { metadata, contacts, messages: [] }],
  ['no field', 'TEXT', { metadata, contacts, messages: [text()] }, null],
];

const kinds: Odd[] = [
  ['a type in capitals', 'TEXT', said({ type: 'TEXT', text: { body: 'x' } })],
  ['a type without its body', 'TEXT', said({ type: 'image', text: { body: 'x' } })],
  ['a text that is no object', 'TEXT', said({ type: 'text', text: 'x' })],
  ['an empty text', 'UNSUPPORTED', said({ type: 'text', text: { body: '' } })],
  ['milliseconds', 'TEXT', said({ type: 'text', text: { body: 'x' }, timestamp: `${at}000` })],
  [
    'an image that could not be fetched',
    'IMAGE',
    said({ type: 'image', errors: [{ code: 131052, title: 'Too big' }] }),
  ],
  ['an image without an id', 'IMAGE', said({ type: 'image', image: { mime_type: 'image/jpeg' } })],
  ['a poll', 'UNSUPPORTED', said({ type: 'poll_creation', poll_creation: { options: [] } })],
  ['a round video', 'UNSUPPORTED', said({ type: 'video_note', video_note: { id: '1' } })],
  [
    'a ghost with one error that is no list',
    'UNSUPPORTED',
    said({ type: 'unsupported', errors: { code: '131060', title: 'Unavailable' } }),
  ],
  [
    'a form with an answer that is no JSON',
    'INTERACTIVE_REPLY',
    said({
      type: 'interactive',
      interactive: { type: 'nfm_reply', nfm_reply: { name: 'flow', response_json: '{bad' } },
    }),
  ],
  ['an interactive that is no object', 'UNSUPPORTED', said({ type: 'interactive', interactive: 'x' })],
  [
    'a payment',
    'UNSUPPORTED',
    said({ type: 'interactive', interactive: { type: 'payment_method', payment_method: {} } }),
  ],
  ['an order of nothing', 'INTERACTIVE_REPLY', said({ type: 'order', order: { catalog_id: 'c' } })],
  ['cards that are null', 'CONTACTS', said({ type: 'contacts', contacts: null })],
  ['a place without coordinates', 'UNSUPPORTED', said({ type: 'location', location: { name: 'Praha' } })],
  ['a context that is a list', 'TEXT', said({ type: 'text', text: { body: 'x' }, context: [], referral: {} })],
  ['a reaction to nothing', 'UNSUPPORTED', said({ type: 'reaction', reaction: { emoji: '👍' } })],
  [
    'an edit to an image',
    'edit',
    said({ type: 'edit', edit: { original_message_id: 'wamid.none', message: { type: 'image', image: { id: '1' } } } }),
  ],
  ['an edit to nothing', 'UNSUPPORTED', said({ type: 'edit', edit: { original_message_id: 'wamid.none' } })],
  ['a notice that is null', 'SYSTEM', said({ type: 'system', system: null })],
  [
    'a number changed to itself',
    'identity-change',
    said({ type: 'system', system: { type: 'user_changed_number', wa_id: from } }),
  ],
  ['a number changed to none', 'SYSTEM', said({ type: 'system', system: { type: 'user_changed_number', body: 'x' } })],
  ['a group that names no member', 'TEXT', { metadata, messages: [text({ from: undefined, group_id: 'group-odd' })] }],
];

const others: Odd[] = [
  [
    'a status with everything',
    'status',
    statuses({
      status: 'failed',
      conversation: { id: 'c', origin: { type: 'service' } },
      pricing: { billable: true, category: 'new' },
      errors: [{ code: 131026, title: 't', error_data: { details: 'd' } }],
    }),
  ],
  ['a failure with one error that is no list', 'status', statuses({ status: 'FAILED', errors: { code: '131047' } })],
  ['a status in capitals for nobody', 'status', statuses({ status: 'DELIVERED' })],
  ['a status without a word', 'status', statuses({ status: undefined })],
  ['a status of a payment', 'unknown', statuses({ type: 'payment', status: 'captured' })],
  [
    'an echo to a user id',
    'TEXT',
    { metadata, ...echoes({ to: undefined, to_user_id: 'CZ.odd4' }) },
    'smb_message_echoes',
  ],
  ['an echo to nobody', 'unknown', { metadata, ...echoes({ to: undefined }) }, 'smb_message_echoes'],
  [
    'an echo under the name of a message',
    'TEXT',
    { metadata, messages: echoes({}).message_echoes },
    'smb_message_echoes',
  ],
  [
    'a history without threads',
    'unknown',
    { metadata, history: [{ metadata: { progress: 100 }, threads: [] }] },
    'history',
  ],
  ['a thread without a name', 'TEXT', { metadata, history: [{ threads: [{ messages: [text()] }] }] }, 'history'],
  [
    'a history of a user id',
    'TEXT TEXT',
    {
      metadata,
      history: [
        {
          threads: [
            {
              id: 'CZ.odd5',
              messages: [
                text({ from: 'CZ.odd5' }),
                text({ from: metadata.display_phone_number, history_context: { status: 'odd' } }),
              ],
            },
          ],
        },
      ],
    },
    'history',
  ],
  [
    'a call of a user id',
    'call',
    { metadata, calls: [{ id: 'c1', from_user_id: 'CZ.odd6', event: 'connect', timestamp: +at }] },
    'calls',
  ],
  ['a call without a time', 'call', { metadata, calls: [{ id: 'c2', from, event: 'terminate' }] }, 'calls'],
  [
    'a word about marketing in capitals',
    'preference',
    { metadata, user_preferences: [{ ...preference, value: 'STOP' }] },
    'user_preferences',
  ],
  [
    'a word about marketing that is no list',
    'preference',
    { metadata, user_preferences: preference },
    'user_preferences',
  ],
  [
    'a word about something else',
    'unknown',
    { metadata, user_preferences: [{ ...preference, category: 'utility' }] },
    'user_preferences',
  ],
  [
    'an event of the account that nobody knows',
    'account',
    { event: 'SOMETHING_NEW', details: [[1]] },
    'account_update',
  ],
  [
    'a restriction that is no list',
    'account',
    { event: 'ACCOUNT_RESTRICTION', restriction_info: { restriction_type: 'ADD', expiration: at } },
    'account_update',
  ],
  [
    'a capability that is null',
    'account',
    { max_daily_conversations_per_business: null },
    'business_capability_update',
  ],
  [
    'a template id that is a text',
    'template',
    { event: 'PAUSED', message_template_id: '90', reason: null },
    'message_template_status_update',
  ],
  [
    'a template id beyond all numbers',
    'template',
    { event: 'APPROVED', message_template_id: 1e300 },
    'message_template_status_update',
  ],
  [
    'members of a group',
    'unknown',
    { metadata, groups: [{ group_id: 'g', type: 'group_participants_add' }] },
    'group_participants_update',
  ],
  ['a field of the future', 'unknown', { metadata, things: [{ id: 1 }] }, 'things_of_2030'],
];

let database: TestDatabase;
let server: ServerProcess;

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startServerProcess({ DATABASE_URL: database.url });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

function bodyOf(value: unknown, field: string | null = 'messages'): object {
  return {
    object: 'whatsapp_business_account',
    entry: [{ id: '1', time: +at, changes: [{ ...(field && { field }), value }] }],
  };
}

function wordOf(item: Item): string {
  return item.type === 'message' ? item.kind : item.type;
}

describe('what is odd', () => {
  it.each([...customers, ...kinds, ...others])('%s is read as %s', (_what, items, value, field) => {
    expect(parsePayload(bodyOf(value, field)).items.map(wordOf).join(' ')).toBe(items);
  });

  it('is answered 200 and kept whole, and none of it is an error of ours', async () => {
    const odd = [...customers, ...kinds, ...others].map(([, items, value, field]) => ({
      items,
      body: bodyOf(value, field),
    }));

    const answers = await Promise.all(odd.map(({ body }) => postSigned(server.url, JSON.stringify(body))));

    expect(answers.map(({ status: code }) => code)).toEqual(odd.map(() => 200));
    const states = await runSql<{ state: string; deliveries: number; items: number }>(
      database.url,
      `SELECT state, count(*)::int AS deliveries, sum(item_count)::int AS items FROM webhook_delivery GROUP BY state ORDER BY state::text`,
    );
    expect(states.map(({ state }) => state)).toEqual(['IGNORED', 'PROCESSED']);
    expect(states.reduce((sum, { items }) => sum + items, 0)).toBe(odd.flatMap(({ items }) => items.split(' ')).length);
    expect(server.output()).not.toMatch(/"level":"(error|fatal)"/);
  });
});
