import { describe, expect, it } from 'vitest';
import {
  mediaPayload,
  reactionPayload,
  readPayload,
  recipientOf,
  templatePayload,
  textPayload,
} from '../src/meta/payloads.ts';
import { fixture } from './support/fixtures.ts';

const recipient = { number: '16505551234' };
const opaqueId = 'message-1';
const envelope = {
  messaging_product: 'whatsapp',
  recipient_type: 'individual',
  to: '+16505551234',
  biz_opaque_callback_data: 'message-1',
};

describe('the body of a message', () => {
  it('for a text', () => {
    const payload = textPayload({ recipient, opaqueId, text: 'Ahoj 👋' });

    expect(payload).toEqual({ ...envelope, type: 'text', text: { body: 'Ahoj 👋', preview_url: false } });
  });

  it('for a text that quotes another message', () => {
    const payload = textPayload({ recipient, opaqueId, text: 'Ano', quotedId: 'wamid.1', previewUrl: true });

    const text = { body: 'Ano', preview_url: true };
    expect(payload).toEqual({ ...envelope, context: { message_id: 'wamid.1' }, type: 'text', text });
  });

  it.each([
    ['👍', '👍'],
    [null, ''],
  ])('for a reaction %s', (emoji, sent) => {
    const payload = reactionPayload({ recipient, opaqueId, targetId: 'wamid.1', emoji });

    expect(payload).toEqual({ ...envelope, type: 'reaction', reaction: { message_id: 'wamid.1', emoji: sent } });
  });

  it.each([
    ['image', { id: '9', caption: 'Popis' }],
    ['video', { id: '9', caption: 'Popis' }],
    ['document', { id: '9', caption: 'Popis', filename: 'a.pdf' }],
    ['audio', { id: '9', voice: true }],
    ['sticker', { id: '9' }],
  ] as const)('for media: %s takes only what it may have', (kind, media) => {
    const more = { caption: 'Popis', filename: 'a.pdf', isVoice: true };
    const payload = mediaPayload({ recipient, opaqueId, kind, mediaId: '9', ...more });

    expect(payload).toEqual({ ...envelope, type: kind, [kind]: media });
  });

  it('for a template without values has no components', () => {
    const payload = templatePayload({ recipient, opaqueId, name: 'hello', language: 'en_US', components: [] });

    expect(payload).toEqual({
      ...envelope,
      type: 'template',
      template: { name: 'hello', language: { code: 'en_US' } },
    });
  });

  it('for a mark with the typing indicator is the one that was recorded', () => {
    const recorded = fixture(
      'graph-api/recorded/messages.send_typing_indicator_with_success_response--ignacio-chiazzo+ruby_whatsapp_sdk.json',
    );

    const id = 'wamid.HBgMNTU0MTk2MTI3MzAwFQIAEhgWM0VCMEQ3OTQ5OTNBODkwMzg1QTZDRgA=';
    expect(recorded).toMatchObject({ request: { body: readPayload(id, true) } });
  });
});

describe('the recipient', () => {
  it.each([
    [{ waId: '420601123456', userId: 'CZ.1' }, { number: '420601123456' }],
    [{ waId: null, userId: 'CZ.1' }, { userId: 'CZ.1' }],
    [{ waId: 'CZ.1', userId: null }, { userId: 'CZ.1' }],
    [{ waId: 'CZ.1', userId: 'CZ.2' }, { userId: 'CZ.2' }],
    [{ waId: null, userId: null }, null],
  ])('of %j is %j', (ids, found) => {
    expect(recipientOf(ids)).toEqual(found);
  });

  it.each([
    [{ number: '+420 601 123 456' }, { to: '+420601123456' }],
    [{ number: '5215512345678' }, { to: '+5215512345678' }],
    [{ userId: 'US.13491208655302741918' }, { recipient: 'US.13491208655302741918' }],
  ])('%j is addressed by %j', (given, address) => {
    expect(textPayload({ recipient: given, opaqueId, text: 'x' })).toMatchObject(address);
  });
});
