import { describe, expect, it } from 'vitest';
import type { Item } from '../src/services/receiving/items.ts';
import { parsePayload } from '../src/webhooks/payload.ts';
import { fixture } from './support/fixtures.ts';
import { bodyOf, changeOf } from './support/raw-bodies.ts';

const customer = '420777123456';

describe('a status', () => {
  it.each<[fact: string, more: object, expected: object]>([
    ['sent', { status: 'sent' }, { status: 'SENT' }],
    ['a voice note that was played', { status: 'played' }, { status: 'READ', word: 'played' }],
    ['a word that we do not know', { status: 'in_orbit' }, { status: 'unknown', word: 'in_orbit' }],
    ['a word that every object inherits', { status: 'constructor' }, { status: 'unknown' }],
    ['no word', { status: null }, { status: 'unknown', word: '' }],
    ['our own id', { status: 'sent', biz_opaque_callback_data: 'our id' }, { opaqueId: 'our id' }],
    ['no recipient', { status: 'read', recipient_id: undefined }, { recipient: { waId: null, userId: null } }],
    [
      'a recipient by user id',
      { status: 'read', recipient_id: undefined, recipient_user_id: 'CZ.1' },
      { recipient: { waId: null, userId: 'CZ.1' } },
    ],
    [
      'a member of a group',
      { status: 'read', recipient_type: 'group', recipient_id: 'G', recipient_participant_id: customer },
      { recipient: { waId: customer } },
    ],
    [
      'a failure with everything that Meta told',
      {
        status: 'failed',
        errors: [
          {
            code: 131047,
            title: 'Re-engagement message',
            message: 'More than 24 hours',
            error_data: { details: 'Outside the window' },
          },
        ],
      },
      { status: 'FAILED', problem: { code: 131047, title: 'Re-engagement message', detail: 'Outside the window' } },
    ],
  ])('%s', (_fact, more, expected) => {
    expect(
      only(bodyOf(changeOf({ statuses: [{ id: 'a', timestamp: '1739321024', recipient_id: customer, ...more }] }))),
    ).toMatchObject({ type: 'status', providerId: 'a', ...expected });
  });

  it.each(['payment', 'call'])('of a %s is none of a message', (type) => {
    expect(only(bodyOf(changeOf({ statuses: [{ id: 'a', type, status: 'captured' }] })))?.type).toBe('unknown');
  });
});

describe('a call', () => {
  it.each<[fact: string, call: object, expected: object]>([
    [
      'of the customer',
      { from: customer, to: '15550783881', direction: 'USER_INITIATED', event: 'connect' },
      { byCustomer: true },
    ],
    [
      'of the customer without a direction',
      { from: customer, to: '15550783881', event: 'terminate' },
      { byCustomer: true },
    ],
    [
      'of ours',
      { from: '15550783881', to: customer, direction: 'BUSINESS_INITIATED', event: 'connect' },
      { byCustomer: false },
    ],
    ['of ours without a direction', { from: '15550783881', to: customer, event: 'connect' }, { byCustomer: false }],
    ['whose recording is ready', { from: customer, event: 'call_recording_available' }, { byCustomer: false }],
  ])('%s', (_fact, call, expected) => {
    const item = only(bodyOf(changeOf({ calls: [{ id: 'c', timestamp: '1739321024', ...call }] }, 'calls')));

    expect(item).toMatchObject({ type: 'call', callId: 'c', participant: { waId: customer }, ...expected });
  });
});

it.each([
  ['stop', 'stop'],
  ['resume', 'resume'],
  ['signup', 'resume'],
  ['pause', null],
])('the preference %s means %s', (value, marketing) => {
  const preference = { wa_id: customer, category: 'marketing_messages', value, timestamp: 1739321024 };

  const item = only(bodyOf(changeOf({ user_preferences: [preference] }, 'user_preferences')));

  expect(item?.type === 'preference' ? item.marketing : null).toBe(marketing);
});

describe('an event of a template', () => {
  const template = {
    message_template_id: 1689556908129832,
    message_template_name: 'hello',
    message_template_language: 'en-US',
  };

  it.each<[fact: string, field: string, value: object, expected: object]>([
    [
      'approval',
      'message_template_status_update',
      { event: 'APPROVED', reason: 'NONE' },
      { change: 'status', value: 'APPROVED', reason: null },
    ],
    [
      'rejection',
      'message_template_status_update',
      { event: 'REJECTED', reason: 'NONE', rejection_info: { reason: 'Variables' } },
      { reason: 'Variables' },
    ],
    [
      'quality under the wrong field',
      'message_template_status_update',
      { previous_quality_score: 'GREEN', new_quality_score: 'RED' },
      { change: 'quality', value: 'RED', previousValue: 'GREEN' },
    ],
    [
      'a category that will change',
      'template_category_update',
      { correct_category: 'MARKETING', new_category: 'UTILITY' },
      { change: 'category', value: 'MARKETING', previousValue: 'UTILITY', announced: true },
    ],
    [
      'a category that has changed',
      'template_category_update',
      { previous_category: 'UTILITY', new_category: 'MARKETING' },
      { value: 'MARKETING', previousValue: 'UTILITY', announced: false },
    ],
    [
      'new components',
      'message_template_components_update',
      { message_template_element: 'Ahoj' },
      { change: 'components', value: null },
    ],
  ])('%s', (_fact, field, value, expected) => {
    const body = bodyOf({ field, value: { ...template, ...value } });

    expect(only(body)).toMatchObject({ type: 'template', metaId: '1689556908129832', language: 'en_US', ...expected });
  });

  it('finds the reason of a rejection beside the value, too', () => {
    const body = bodyOf({
      field: 'message_template_status_update',
      value: { ...template, event: 'REJECTED' },
      rejection_info: { reason: 'R' },
    });

    expect(only(body)).toMatchObject({ reason: 'R' });
  });
});

describe('an event of the account', () => {
  it.each<[field: string, value: object, severity: string, summary: string]>([
    [
      'account_update',
      { event: 'DISABLED_UPDATE', ban_info: { waba_ban_state: 'DISABLE' } },
      'critical',
      'account_update: DISABLED_UPDATE (DISABLE)',
    ],
    [
      'account_update',
      { event: 'DISABLED_UPDATE', ban_info: { waba_ban_state: 'REINSTATE' } },
      'info',
      'account_update: DISABLED_UPDATE (REINSTATE)',
    ],
    [
      'account_update',
      { event: 'ACCOUNT_RESTRICTION', restriction_info: [{ restriction_type: 'A' }, { restriction_type: 'B' }] },
      'critical',
      'account_update: ACCOUNT_RESTRICTION (A, B)',
    ],
    [
      'phone_number_quality_update',
      { event: 'FLAGGED', current_limit: 'TIER_10K' },
      'warning',
      'phone_number_quality_update: FLAGGED (TIER_10K)',
    ],
    [
      'phone_number_name_update',
      { decision: 'REJECTED', rejection_reason: 'NAME' },
      'warning',
      'phone_number_name_update: REJECTED (NAME)',
    ],
    [
      'business_capability_update',
      { max_daily_conversations_per_business: 2000 },
      'info',
      'business_capability_update: changed (2000)',
    ],
    [
      'account_alerts',
      { alert_info: { alert_severity: 'CRITICAL', alert_type: 'T', alert_description: 'D' } },
      'critical',
      'account_alerts: T (D)',
    ],
    ['security', { event: 'PIN_CHANGED', requester: '61555822107539' }, 'warning', 'security: PIN_CHANGED'],
  ])('%s %j', (field, value, severity, summary) => {
    expect(only(bodyOf({ field, value }))).toMatchObject({ type: 'account', field, severity, summary });
  });

  it('an alert of a flow is one event, whatever errors it counts', () => {
    const item = only(fixture('payloads/flows-CLIENT_ERROR_RATE--LimaLb01-endpoint-flow.json'));

    expect(item).toMatchObject({ field: 'flows', event: 'CLIENT_ERROR_RATE', severity: 'warning' });
  });

  it('an error beside the messages is a warning about their number', () => {
    const item = only(bodyOf(changeOf({ errors: [{ code: 130429, title: 'Rate limit hit' }] })));

    expect(item).toMatchObject({
      type: 'account',
      field: 'errors',
      event: '130429',
      displayPhoneNumber: '15550783881',
      severity: 'warning',
      summary: 'WhatsApp reported error 130429: Rate limit hit',
    });
  });
});

/** The one item of a body that holds one element. */
function only(body: unknown): Item | undefined {
  const { items } = parsePayload(body);
  expect(items).toHaveLength(1);
  return items[0];
}
