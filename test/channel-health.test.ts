import { randomUUID } from 'node:crypto';
import { gql } from 'graphql-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './support/events.ts';
import { number1, startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ settings: { LOG_LEVEL: 'error' } });
});

afterAll(() => server[Symbol.asyncDispose]());

const HEALTH = gql`
  {
    chatModule {
      health {
        code
        message
        since
        providerCode
        businessNumber {
          phoneNumber
        }
      }
    }
  }
`;
type Problem = {
  code: string;
  message: string;
  since: string;
  providerCode: number | null;
  businessNumber: { phoneNumber: string } | null;
};

async function health(login: 'alena' | 'boris' = 'alena'): Promise<Problem[]> {
  const { chatModule } = await (await server.as(login)).request<{ chatModule: { health: Problem[] } }>(HEALTH);
  return chatModule.health;
}

const codes = async () => (await health()).map((problem) => problem.code);

async function tell(
  field: string,
  value: Record<string, unknown>,
  at = new Date(),
  account = '100000000000001',
): Promise<void> {
  const time = Math.floor(at.getTime() / 1000);
  const entry = [{ id: account, time, changes: [{ field, value }] }];
  expect((await server.postWebhook({ object: 'whatsapp_business_account', entry })).status).toBe(200);
}

/** Of another test, which may be newer. */
const forgetNews = () => server.sql('DELETE FROM account_event');

const minutesAgo = (minutes: number) => new Date(Math.floor(Date.now() / 1000 - minutes * 60) * 1000);

describe('the health of the channel', () => {
  it('is empty when all is well', async () => {
    expect(await health()).toEqual([]);
  });

  it.each<[string, string, Record<string, unknown>, Record<string, unknown>]>([
    [
      'ACCOUNT_DISABLED',
      'account_update',
      { event: 'DISABLED_UPDATE', ban_info: { waba_ban_state: 'DISABLE', waba_ban_date: 'today' } },
      { event: 'DISABLED_UPDATE', ban_info: { waba_ban_state: 'REINSTATE' } },
    ],
    ['ACCOUNT_OFFBOARDED', 'account_update', { event: 'ACCOUNT_OFFBOARDED' }, { event: 'ACCOUNT_RECONNECTED' }],
    ['APP_REMOVED', 'account_update', { event: 'PARTNER_REMOVED' }, { event: 'PARTNER_ADDED' }],
    ['ACCOUNT_REVIEW_REJECTED', 'account_review_update', { decision: 'REJECTED' }, { decision: 'APPROVED' }],
    [
      'NAME_REJECTED',
      'phone_number_name_update',
      { display_phone_number: '420777000111', decision: 'REJECTED', requested_verified_name: 'X' },
      { display_phone_number: '420777000111', decision: 'APPROVED', requested_verified_name: 'X' },
    ],
    [
      'NUMBER_FLAGGED',
      'phone_number_quality_update',
      { display_phone_number: '420777000111', event: 'FLAGGED', current_limit: 'TIER_1K' },
      { display_phone_number: '420777000111', event: 'UNFLAGGED', current_limit: 'TIER_1K' },
    ],
    [
      'ACCOUNT_ALERT',
      'account_alerts',
      {
        entity_type: 'BUSINESS',
        entity_id: '1',
        alert_info: { alert_severity: 'WARNING', alert_status: 'ACTIVE', alert_type: 'A' },
      },
      {
        entity_type: 'BUSINESS',
        entity_id: '1',
        alert_info: { alert_severity: 'WARNING', alert_status: 'RESOLVED', alert_type: 'A' },
      },
    ],
  ])('shows %s from when Meta tells it until Meta takes it back', async (code, field, begins, ends) => {
    const at = minutesAgo(10);
    await tell(field, begins, at);
    const [problem] = await health();
    await tell(field, begins, at);

    expect(await codes()).toEqual([code]);
    expect(problem).toMatchObject({ code, since: at.toISOString(), providerCode: null });
    expect(problem?.businessNumber).toEqual(begins.display_phone_number ? { phoneNumber: number1.phoneNumber } : null);

    await tell(field, ends, minutesAgo(5));
    await tell(field, begins, at);
    expect(await codes()).toEqual([]);
  });

  it('forgets a restriction when it ends, and a notice after a week', async () => {
    const inAnHour = Math.floor(Date.now() / 1000) + 3_600;
    await tell('account_update', {
      event: 'ACCOUNT_RESTRICTION',
      restriction_info: [{ restriction_type: 'RESTRICTED_BIZ_INITIATED_MESSAGING', expiration: inAnHour }],
    });
    await tell('security', { display_phone_number: '420777000111', event: 'PIN_CHANGED' }, minutesAgo(8 * 24 * 60));
    await tell('account_update', { event: 'ACCOUNT_VIOLATION', violation_info: { violation_type: 'SPAM' } });
    expect((await codes()).toSorted()).toEqual(['ACCOUNT_RESTRICTED', 'ACCOUNT_VIOLATION']);

    await server.sql(`UPDATE channel_problem SET expires_at = now() - interval '1 second'`);

    expect(await codes()).toEqual([]);
  });

  it('tells the code of what Meta could not do', async () => {
    await tell('messages', {
      messaging_product: 'whatsapp',
      metadata: { display_phone_number: '420777000111', phone_number_id: number1.phoneNumberId },
      errors: [{ code: 130429, title: 'Rate limit hit', error_data: { details: 'Too many messages' } }],
    });

    expect(await health()).toMatchObject([
      { code: 'PROVIDER_ERROR', providerCode: 130429, businessNumber: { phoneNumber: number1.phoneNumber } },
    ]);
    expect((await health())[0]?.message).toContain('Too many messages');
  });

  it('goes by the times of Meta, in whatever order its news come', async () => {
    const about = { display_phone_number: '420777000222' };
    const flagged = (minutes: number) =>
      tell('phone_number_quality_update', { ...about, event: 'FLAGGED' }, minutesAgo(minutes));
    const unflagged = (minutes: number) =>
      tell('phone_number_quality_update', { ...about, event: 'UNFLAGGED' }, minutesAgo(minutes));

    await flagged(60);
    await unflagged(40);
    await flagged(50);
    expect(await codes()).not.toContain('NUMBER_FLAGGED');

    await flagged(20);
    await unflagged(30);
    expect(await codes()).toContain('NUMBER_FLAGGED');

    await unflagged(10);
    expect(await codes()).not.toContain('NUMBER_FLAGGED');
  });

  it('shows an alert however much Meta says of it', async () => {
    const description = Array.from({ length: 400 }, () => randomUUID()).join(' ');
    const info = { alert_severity: 'WARNING', alert_status: 'ACTIVE', alert_type: 'LONG' };
    const alert = { entity_type: 'WABA', entity_id: '2', alert_info: { ...info, alert_description: description } };

    await tell('account_alerts', alert, minutesAgo(1));
    expect((await health()).map(({ message }) => message)).toContainEqual(expect.stringContaining(description));

    await tell('account_alerts', { ...alert, alert_info: { ...alert.alert_info, alert_status: 'RESOLVED' } });
    expect(await codes()).not.toContain('ACCOUNT_ALERT');
  });

  it.each<[string, string, Record<string, unknown>, string]>([
    ['account', 'account_update', { event: 'ACCOUNT_DELETED' }, '100000000000999'],
    ['account of the same business', 'account_update', { event: 'PARTNER_REMOVED', waba_info: { waba_id: '9' } }, '8'],
    [
      'number of the same account',
      'phone_number_quality_update',
      { display_phone_number: '15550001111', event: 'FLAGGED', current_limit: 'TIER_1K' },
      '100000000000001',
    ],
    [
      'number, as an error beside its messages',
      'messages',
      { metadata: { display_phone_number: '15550001111', phone_number_id: '9' }, errors: [{ code: 131000 }] },
      '100000000000001',
    ],
  ])('is not troubled by what Meta tells of another %s', async (_whose, field, value, account) => {
    const before = await codes();

    await tell(field, value, new Date(), account);

    expect(await codes()).toEqual(before);
  });

  it('takes news of our account that come under the id of the business', async () => {
    const ours = { waba_info: { waba_id: '100000000000001', owner_business_id: '8' } };

    await forgetNews();
    await tell('account_update', { event: 'PARTNER_REMOVED', ...ours }, minutesAgo(2), '8');
    expect(await codes()).toContain('APP_REMOVED');

    await tell('account_update', { event: 'PARTNER_ADDED', ...ours }, minutesAgo(1), '8');
    expect(await codes()).not.toContain('APP_REMOVED');
  });

  it.each([
    ['a trouble that is over already does not begin', ['UNFLAGGED', 'FLAGGED'], []],
    ['a trouble that has come back does not end', ['FLAGGED', 'UNFLAGGED'], ['NUMBER_FLAGGED']],
  ])('%s where its news come in the wrong order', async (_what, [newest = '', oldest = ''], expected) => {
    await forgetNews();
    await server.sql('DELETE FROM channel_problem');
    const flags = (event: string) => ({ display_phone_number: number1.phoneNumber.slice(1), event });
    await tell('phone_number_quality_update', flags(newest), minutesAgo(1));
    await tell('phone_number_quality_update', flags(oldest), minutesAgo(3));

    expect(await codes()).toEqual(expected);
  });

  it('is for those who may manage settings', async () => {
    expect(await health('boris')).toEqual([]);
  });
});

it('the name that Meta approved is the name of the number, and news of older ones change nothing', async () => {
  const approved = (name: string) => ({
    display_phone_number: number1.phoneNumber.slice(1),
    decision: 'APPROVED',
    requested_verified_name: name,
    rejection_reason: null,
  });
  const nameOf = async () =>
    (
      await server.sql(`SELECT display_name AS name FROM business_number WHERE phone_number = $1`, [
        number1.phoneNumber,
      ])
    )[0];

  const longAgo = minutesAgo(20);
  await forgetNews();
  await tell('phone_number_name_update', approved('Lucky Shrub'), longAgo);
  expect(await nameOf()).toEqual({ name: 'Lucky Shrub' });
  await tell('phone_number_name_update', { ...approved('Spam'), decision: 'REJECTED' }, minutesAgo(5));
  await tell('phone_number_name_update', approved('Lucky Tree'), minutesAgo(10));
  await tell('phone_number_name_update', approved('Lucky Shrub'), longAgo);
  await tell('phone_number_name_update', approved('Lucky Weed'), minutesAgo(15));

  expect(await nameOf()).toEqual({ name: 'Lucky Tree' });
});

it('of two names approved in one delivery the later one holds', async () => {
  const named = (name: string, time: number) => ({
    id: '100000000000001',
    time,
    changes: [
      {
        field: 'phone_number_name_update',
        value: {
          display_phone_number: number1.phoneNumber.slice(1),
          decision: 'APPROVED',
          requested_verified_name: name,
        },
      },
    ],
  });
  const now = Math.floor(Date.now() / 1000);

  await server.postWebhook({
    object: 'whatsapp_business_account',
    entry: [named('Lucky Bush', now), named('Lucky Seed', now - 60)],
  });

  expect(await eventually(async () => (await numbers())[0]?.displayName === 'Lucky Bush')).toBe(true);
});

it('the quality of a number is what Meta told last, and a check that finds it good ends the trouble', async () => {
  const flagged = { display_phone_number: number1.phoneNumber.slice(1), event: 'FLAGGED', current_limit: 'TIER_1K' };

  const rating = async () => (await numbers())[0]?.qualityRating;

  await forgetNews();
  await tell('phone_number_quality_update', { ...flagged, event: 'UNFLAGGED' }, minutesAgo(2));
  await eventually(async () => (await rating()) === 'UNKNOWN');
  await tell('phone_number_quality_update', flagged, minutesAgo(1));
  await eventually(async () => (await rating()) === 'RED');
  expect(await codes()).toContain('NUMBER_FLAGGED');
  await (await server.as('alena')).request('mutation { verifyChatConnection { errors { code } } }');

  await eventually(async () => (await rating()) === 'GREEN');
  expect(await codes()).not.toContain('NUMBER_FLAGGED');
});

async function numbers(): Promise<{ displayName: string; qualityRating: string | null }[]> {
  const { chatModule } = await (
    await server.as('alena')
  ).request<{ chatModule: { settings: { businessNumbers: { displayName: string; qualityRating: string | null }[] } } }>(
    '{ chatModule { settings { businessNumbers { displayName qualityRating } } } }',
  );
  return chatModule.settings.businessNumbers;
}
