import { describe, expect, it } from 'vitest';
import { classifyMetaError, parseMetaError, retryDelayMs } from '../src/meta/error.ts';
import { metaErrorCodes, metaErrorRule } from '../src/meta/error-codes.ts';
import { fixture, fixtureNames } from './support/fixtures.ts';

/** First part of the file name → class and scope of the back-off. */
const expected: Readonly<Record<string, string>> = {
  '1-bad': 'temporary message',
  '100-Invalid-parameter': 'permanent message',
  '130429-Rate-limit': 'temporary number',
  '130429-Rate-limit-exceeded': 'temporary number',
  '130429-Rate-limit-hit': 'temporary number',
  '130429-rate-limit-403': 'temporary number',
  '131009-parameter-value-400': 'permanent message',
  '131030-Recipient-phone-number-not-in-allowed-l': 'permanent recipient',
  '131030-not-in-allowed-list': 'permanent recipient',
  '131047-Reengagement-message': 'window-closed recipient',
  '131053-media-upload-400': 'permanent message',
  '131056-pair-rate-limit-403': 'temporary recipient',
  '138006-User-does-not-have-permission': 'channel account',
  '190-460-password-changed': 'channel account',
  '190-463-session-expired': 'channel account',
  '190-Invalid-OAuth-access-token-Cannot-parse': 'channel account',
  '190-Invalid-token': 'channel account',
  '200-Access-denied': 'channel account',
  '368-policy-block-403': 'channel account',
  '4-Rate-limit-exceeded': 'temporary app',
  '4-Throttled': 'temporary app',
  '400-Invalid-request': 'permanent message',
  '613-calls-rate-limit-429': 'temporary app',
  'phone.phoneNumberNotFoundError': 'channel number',
  'phone.requestCodeError': 'permanent message',
  'phone.verifyCodeError': 'permanent message',
};
const files = fixtureNames('graph-api/errors').filter((name) => !name.startsWith('error--'));

describe('the table of error codes', () => {
  it.each(files)('decides %s by its code, whatever the HTTP status says', (name) => {
    const error = parseMetaError(fixture(`graph-api/errors/${name}`));
    if (error === null) throw new Error('not recognised as an error of Meta');

    const { rule } = classifyMetaError(error, 403);

    expect(`${rule.class} ${rule.scope}`).toBe(expected[name.split('--')[0] ?? '']);
  });

  it('keeps what Meta says about one error', () => {
    const error = parseMetaError(fixture('graph-api/errors/error--yvfl+api-whatsapp-docs.json'));

    expect(error).toEqual({
      code: 130429,
      subcode: 2494055,
      title: '(#130429) Rate limit hit',
      detail: 'Cloud API message throughput has been reached.',
      traceId: 'Az8or2yhqkZfEZ-_4Qn_Bam',
      isTransient: null,
    });
  });

  it.each(metaErrorCodes())('says for %i what an operator can do', (code) => {
    const rule = metaErrorRule(code);

    expect(rule?.meaning).toMatch(/^[A-Z].{20,}\.$/);
    expect(rule?.class === 'temporary').toBe((rule?.maxRetries ?? 0) > 0);
    expect(rule?.delaysMs).toEqual(rule?.delaysMs.toSorted((a, b) => a - b));
  });

  it.each([
    [2, 'temporary app'],
    [80007, 'temporary account'],
    [131000, 'temporary message'],
    [131016, 'temporary number'],
    [131057, 'temporary number'],
    [133004, 'temporary number'],
    [0, 'channel account'],
    [3, 'channel account'],
    [10, 'channel account'],
    [299, 'channel account'],
    [33, 'channel number'],
    [131005, 'channel account'],
    [131031, 'channel account'],
    [131037, 'channel number'],
    [131042, 'channel account'],
    [131045, 'channel number'],
    [131048, 'channel number'],
    [133010, 'channel number'],
    [470, 'window-closed recipient'],
    [1006, 'permanent recipient'],
    [131026, 'permanent recipient'],
    [131049, 'permanent recipient'],
    [130497, 'permanent recipient'],
    [132015, 'permanent message'],
    [132018, 'permanent message'],
  ])('classes %i as %s', (code, words) => {
    const rule = metaErrorRule(code);

    expect(`${rule?.class} ${rule?.scope}`).toBe(words);
  });

  it.each([
    [131050, 'marketing-opt-out'],
    [132001, 'template-unusable'],
    [132015, 'template-unusable'],
    [131026, 'recipient-unreachable'],
    [131059, 'stale-cursor'],
  ])('tells of %i that it is about more than the message: %s', (code, effect) => {
    expect(metaErrorRule(code)?.effect).toBe(effect);
  });
});

describe('a code that is not listed', () => {
  it.each([
    [400, null, 'permanent'],
    [403, null, 'permanent'],
    [null, null, 'permanent'],
    [500, null, 'temporary'],
    [503, null, 'temporary'],
    [400, true, 'temporary'],
    [500, false, 'permanent'],
  ])('under HTTP %s with is_transient %s is %s', (httpStatus, isTransient, expectedClass) => {
    const body = { error: { code: 999_001, message: 'New', is_transient: isTransient ?? undefined } };
    const error = parseMetaError(body);
    if (error === null) throw new Error('not recognised as an error of Meta');

    const { rule } = classifyMetaError(error, httpStatus);

    expect(rule.class).toBe(expectedClass);
    expect(rule.maxRetries).toBe(expectedClass === 'temporary' ? 3 : 0);
  });
});

describe('the pause before a repeat', () => {
  it('grows as Meta asks for a pair of numbers: 4^X seconds', () => {
    const rule = metaErrorRule(131056);
    if (rule === null) throw new Error('131056 is not listed');

    const pauses = [1, 2, 3, 4, 5, 8, 9].map((attempts) => retryDelayMs(rule, attempts));

    expect(pauses).toEqual([1_000, 4_000, 16_000, 64_000, 256_000, 256_000, null]);
  });

  it('does not exist for a permanent error', () => {
    const rule = metaErrorRule(131026);

    expect(rule && retryDelayMs(rule, 1)).toBeNull();
  });
});

describe('what is no error of Meta', () => {
  it.each([undefined, null, '', [], {}, { error: 'x' }, { error: {} }, { error: { code: 'x' } }])('%j', (body) => {
    expect(parseMetaError(body)).toBeNull();
  });
});

it('an access token never survives in the texts of an error', () => {
  const message = 'Malformed access token secret-token-1 or EAAJZCZCabcdef0123456789';
  const body = { error: { code: 190, message, error_data: { details: 'secret-token-1' } } };

  const error = parseMetaError(body, ['secret-token-1']);

  expect(error).toMatchObject({ title: 'Malformed access token *** or ***', detail: '***' });
});
