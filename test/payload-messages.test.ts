import { describe, expect, it } from 'vitest';
import type { Item } from '../src/services/receiving/items.ts';
import { parsePayload } from '../src/webhooks/payload.ts';
import { fixture } from './support/fixtures.ts';
import { bodyOf, changeOf, messagesBody, phoneNumberId, textMessage } from './support/raw-bodies.ts';

const ids = { phoneNumberId, providerId: 'a', from: 'customer' };
const customer = { waId: '420777123456', userId: null, profileName: null };
const at = new Date('2025-02-12T00:43:44Z');

describe('a message', () => {
  it('keeps who, when and what', () => {
    expect(only(messagesBody(textMessage('a', 'Dobrý den 👋🏽')))).toEqual({
      ...ids,
      type: 'message',
      kind: 'TEXT',
      content: { type: 'text', text: 'Dobrý den 👋🏽' },
      media: null,
      imported: false,
      importedStatus: null,
      participant: customer,
      at,
      quotedProviderId: null,
      forwarded: false,
      referral: null,
      problem: null,
      placeholder: false,
      cleaned: false,
      groupId: null,
    });
  });

  it.each<[fact: string, more: object, expected: object]>([
    [
      'an image without a body',
      { type: 'image', text: undefined },
      { kind: 'IMAGE', media: { mediaId: null, mimeType: 'application/octet-stream', sha256: null, fileName: null } },
    ],
    [
      'a document',
      {
        type: 'document',
        document: { id: 9, mime_type: 'application/pdf', sha256: 's', filename: 'faktura.pdf', caption: 'Faktura' },
      },
      {
        kind: 'DOCUMENT',
        content: { type: 'media', caption: 'Faktura' },
        media: { mediaId: '9', mimeType: 'application/pdf', sha256: 's', fileName: 'faktura.pdf' },
      },
    ],
    ['an old voice note', { type: 'voice', voice: { id: '1', mime_type: 'audio/ogg' } }, { kind: 'VOICE' }],
    [
      'a location of texts',
      { type: 'location', location: { latitude: '50.08', longitude: '14.42' } },
      { content: { type: 'location', latitude: 50.08, longitude: 14.42, name: null, address: null } },
    ],
    [
      'a location without a place',
      { type: 'location', location: { latitude: 'x' } },
      { kind: 'UNSUPPORTED', content: { type: 'unsupported', providerType: 'location', reason: null } },
    ],
    [
      'a contact without a name',
      { type: 'contacts', contacts: [{ phones: [{ phone: '+420 1' }] }] },
      { content: { type: 'contacts', contacts: [{ name: '+420 1', phoneNumbers: ['+420 1'] }] } },
    ],
    [
      'a form',
      {
        type: 'interactive',
        interactive: {
          type: 'nfm_reply',
          nfm_reply: {
            name: 'flow',
            body: 'Sent',
            response_json: '{"flow_token":"t","jméno":"Jan\\u0000","stars":4,"days":["po","út"]}',
          },
        },
      },
      {
        content: {
          type: 'interactive',
          replyId: 'flow',
          title: 'Sent',
          description: 'jméno: Jan\nstars: 4\ndays: ["po","út"]',
        },
        cleaned: true,
      },
    ],
    [
      'a form that is no JSON',
      {
        type: 'interactive',
        interactive: { type: 'nfm_reply', nfm_reply: { name: 'flow', body: 'Sent', response_json: '{oops' } },
      },
      { content: { type: 'interactive', replyId: 'flow', title: 'Sent', description: '{oops' } },
    ],
    [
      'an answer of an unknown kind',
      { type: 'interactive', interactive: { type: 'payment_method', payment_method: {} } },
      {
        kind: 'UNSUPPORTED',
        content: { type: 'unsupported', providerType: 'interactive.payment_method', reason: null },
      },
    ],
    [
      'an order',
      {
        type: 'order',
        order: {
          catalog_id: 'c',
          text: 'Prosím rychle',
          product_items: [
            { product_retailer_id: 'HAMBURGER', quantity: 3 },
            { product_retailer_id: 'FRENCH_FRIES', quantity: '2' },
          ],
        },
      },
      {
        kind: 'INTERACTIVE_REPLY',
        content: {
          type: 'interactive',
          replyId: 'c',
          title: 'Order: 3 × HAMBURGER, 2 × FRENCH_FRIES',
          description: 'Prosím rychle',
        },
      },
    ],
    [
      'a welcome',
      { type: 'request_welcome' },
      { kind: 'SYSTEM', content: { type: 'system', text: 'The customer opened the chat for the first time.' } },
    ],
    [
      'a type that nobody knows',
      { type: 'hologram', hologram: {} },
      { kind: 'UNSUPPORTED', content: { type: 'unsupported', providerType: 'hologram', reason: null } },
    ],
    ['a message with a type only in its keys', { type: undefined, text: { body: 'x' } }, { kind: 'TEXT' }],
    [
      'a text without its body',
      { text: {} },
      { kind: 'UNSUPPORTED', content: { type: 'unsupported', providerType: 'text', reason: null } },
    ],
    [
      'an edit of what cannot be read',
      { type: 'edit', edit: { original_message_id: 'b', message: { type: 'hologram' } } },
      { kind: 'UNSUPPORTED', content: { type: 'unsupported', providerType: 'edit', reason: null } },
    ],
    [
      'a ghost',
      { type: 'unsupported', unsupported: { type: 'unknown' }, errors: [{ code: 131060, title: 'Unavailable' }] },
      { kind: 'UNSUPPORTED', placeholder: true, problem: { code: 131060, title: 'Unavailable', detail: null } },
    ],
    [
      'a type that the API cannot carry',
      {
        type: 'unsupported',
        unsupported: { type: 'poll_creation' },
        errors: [{ code: '131051', title: 'Unknown', error_data: { details: 'Not supported' } }],
      },
      {
        placeholder: false,
        content: { type: 'unsupported', providerType: 'unsupported.poll_creation', reason: 'Not supported' },
        problem: { code: 131051, title: 'Unknown', detail: 'Not supported' },
      },
    ],
    [
      'a text with an error',
      { errors: [{ code: 131060, title: 'X' }] },
      { kind: 'TEXT', placeholder: false, problem: { code: 131060, title: 'X', detail: null } },
    ],
    [
      'an error with a code that no column holds',
      { errors: [{ code: 1e12 }] },
      { problem: { code: null, title: 'Unknown error', detail: null } },
    ],
    ['a group message', { group_id: 'G' }, { groupId: 'G', participant: customer }],
    [
      'a message forwarded often',
      { context: { frequently_forwarded: true } },
      { forwarded: true, quotedProviderId: null },
    ],
    ['a reply', { context: { from: '1', id: 'wamid.q' } }, { quotedProviderId: 'wamid.q' }],
    ['an id of 600 characters', { id: 'w'.repeat(600) }, { providerId: 'w'.repeat(600) }],
    ['a time as a number', { timestamp: 1739321024 }, { at }],
    ['a time that cannot be read', { timestamp: 'yesterday' }, { at: null }],
    ['a time after all calendars', { timestamp: '99999999999999' }, { at: null }],
    ['a time in the far future', { timestamp: '32503680000' }, { at: new Date('3000-01-01T00:00:00Z') }],
    [
      'texts that cannot be stored',
      { text: { body: 'a\0b\ud83dc' } },
      { content: { type: 'text', text: 'abc' }, cleaned: true },
    ],
  ])('%s', (_fact, more, expected) => {
    expect(only(messagesBody(textMessage('a', 'x', more)))).toMatchObject({ type: 'message', ...expected });
  });
});

it('without any type is kept as unsupported', () => {
  expect(only(messagesBody({ id: 'a', from: '420777123456' }))).toMatchObject({
    kind: 'UNSUPPORTED',
    content: { type: 'unsupported', providerType: 'unknown', reason: null },
  });
});

describe('who the customer is', () => {
  const scoped = 'US.13491208655302741918';

  it.each<[fact: string, message: object, contacts: unknown, participant: object]>([
    [
      'the contact of the same number, not the one in the same place',
      {},
      [
        { wa_id: '1', profile: { name: 'Eva' } },
        { wa_id: '420777123456', profile: { name: 'Jan' } },
      ],
      { profileName: 'Jan' },
    ],
    [
      'the contact of the same user',
      { from: undefined, from_user_id: scoped },
      [{ user_id: 'CZ.1' }, { user_id: scoped, profile: { name: 'Jan' } }],
      { waId: null, userId: scoped, profileName: 'Jan' },
    ],
    [
      'the only contact where the message names nobody',
      { from: undefined },
      [{ wa_id: '420777123456', user_id: scoped }],
      { waId: '420777123456', userId: scoped },
    ],
    [
      'the only contact under another spelling of the number',
      { from: '5511987654321' },
      [{ wa_id: '551187654321', profile: { name: 'Ana' } }],
      { waId: '5511987654321', profileName: 'Ana' },
    ],
    [
      'not the only contact of another number',
      {},
      [{ wa_id: '1', profile: { name: 'Eva' } }],
      { waId: '420777123456', profileName: null },
    ],
    [
      'not the only contact of another user',
      { from: undefined, from_user_id: scoped },
      [{ user_id: 'CZ.1', profile: { name: 'Eva' } }],
      { userId: scoped, profileName: null },
    ],
    [
      'a user id in the place of the number',
      { from: scoped },
      [{ wa_id: scoped, profile: { name: 'Jan' } }],
      { waId: null, userId: scoped, profileName: 'Jan' },
    ],
    ['a number with its plus', { from: '+420 777 123 456' }, [], { waId: '420777123456' }],
    ['a number that is a number', { from: 420777123456 }, [], { waId: '420777123456' }],
    ['a contact without a profile', {}, [{ wa_id: '420777123456' }], { profileName: null }],
    [
      'a user name where the name is blank',
      {},
      [{ wa_id: '420777123456', profile: { name: ' ', username: 'jan' } }],
      { profileName: 'jan' },
    ],
    ['contacts that are none', {}, [null, 'x', []], { profileName: null }],
  ])('%s', (_fact, message, contacts, participant) => {
    const body = bodyOf(changeOf({ contacts, messages: [textMessage('a', 'x', message)] }));

    expect(only(body)).toMatchObject({ participant });
  });

  it('cuts an endless name without breaking an emoji', () => {
    const name = `${'x'.repeat(254)}👋`;
    const body = bodyOf(
      changeOf({ contacts: [{ wa_id: '420777123456', profile: { name } }], messages: [textMessage('a', 'x')] }),
    );

    expect(only(body)).toMatchObject({ participant: { profileName: 'x'.repeat(254) } });
  });
});

describe('what is no new message', () => {
  it.each<[fact: string, message: object, expected: object]>([
    [
      'a reaction',
      { type: 'reaction', reaction: { message_id: 'b', emoji: '❤️' } },
      { type: 'reaction', targetProviderId: 'b', emoji: '❤️' },
    ],
    ['its removal', { type: 'reaction', reaction: { message_id: 'b' } }, { type: 'reaction', emoji: null }],
    [
      'its removal by an empty text',
      { type: 'reaction', reaction: { message_id: 'b', emoji: '' } },
      { type: 'reaction', emoji: null },
    ],
    [
      'an edit',
      { type: 'edit', edit: { original_message_id: 'b', message: { type: 'text', text: { body: 'nově' } } } },
      {
        type: 'edit',
        targetProviderId: 'b',
        replacement: { kind: 'TEXT', content: { type: 'text', text: 'nově' }, media: null },
      },
    ],
    ['a revoke', { type: 'revoke', revoke: { original_message_id: 'b' } }, { type: 'revoke', targetProviderId: 'b' }],
    [
      'a new number',
      {
        type: 'system',
        system: {
          type: 'user_changed_number',
          wa_id: '420700000000',
          user_id: 'CZ.2',
          previous_user_id: 'CZ.1',
          body: 'B',
        },
      },
      {
        type: 'identity-change',
        previous: { waId: '420777123456', userId: 'CZ.1' },
        next: { waId: '420700000000', userId: 'CZ.2' },
        content: { type: 'system', text: 'B' },
      },
    ],
    [
      'a new user id',
      {
        type: 'system',
        from: undefined,
        system: { type: 'user_changed_user_id', user_id: 'CZ.2', previous_user_id: 'CZ.1' },
      },
      { type: 'identity-change', previous: { waId: null, userId: 'CZ.1' }, next: { waId: null, userId: 'CZ.2' } },
    ],
    [
      'a new number that is not told',
      { type: 'system', system: { type: 'user_changed_number', body: 'B' } },
      { type: 'message', kind: 'SYSTEM' },
    ],
  ])('%s', (_fact, message, expected) => {
    expect(only(messagesBody(textMessage('a', 'x', message)))).toMatchObject({ ...expected, providerId: 'a' });
  });
});

describe('what the phone app and its history tell', () => {
  it('an echo belongs to the conversation with its addressee', () => {
    const echo = { ...textMessage('a', 'x'), from: '15550783881', to: '420777123456' };

    const item = only(bodyOf(changeOf({ message_echoes: [echo] }, 'smb_message_echoes')));

    expect(item).toMatchObject({ type: 'message', from: 'phone-app', imported: false, participant: customer });
  });

  it('a thread holds both sides, and its files come later', () => {
    const { items } = parsePayload(fixture('payloads/history-chunk--yvfl-api-whatsapp-docs.json'));

    const told = items.map(
      (item) => item.type === 'message' && [item.from, item.participant.waId, item.importedStatus, item.placeholder],
    );
    expect(told).toEqual([
      ['phone-app', '16505551234', 'READ', false],
      ['phone-app', '16505551234', 'READ', true],
      ['customer', '16505551234', null, false],
      ['phone-app', '12125557890', 'DELIVERED', false],
    ]);
  });

  it('a number is the customer of a thread that is named by a user id', () => {
    const threads = [{ id: 'CZ.1', messages: [textMessage('a', 'x', { from_user_id: 'CZ.1' })] }];

    const item = only(bodyOf(changeOf({ history: [{ threads }] }, 'history')));

    expect(item).toMatchObject({ from: 'customer', imported: true, participant: { userId: 'CZ.1' } });
  });
});

/** The one item of a body that holds one element. */
function only(body: unknown): Item | undefined {
  const { items } = parsePayload(body);
  expect(items).toHaveLength(1);
  return items[0];
}
