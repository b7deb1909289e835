import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparisonKey, normalisePhoneNumber, phoneNumberOfWaId } from '../src/services/phone-numbers.ts';

describe('a phone number that somebody types', () => {
  it.each([
    ['+420 777 123 456', '+420777123456'],
    ['00420777123456', '+420777123456'],
    ['00 420-777-123-456', '+420777123456'],
    ['+420 (777) 123.456', '+420777123456'],
    ['+420\u00a0777\u2011123–456', '+420777123456'],
    ['\u202a+420 777 123 456\u202c', '+420777123456'],
    ['+421 903 123 456', '+421903123456'],
    ['+1 (650) 555-1234', '+16505551234'],
    ['+29012345', '+29012345'],
    ['+123456789012345', '+123456789012345'],
  ])('%s is %s', (input, value) => {
    expect(normalisePhoneNumber(input)).toEqual({ ok: true, value });
  });

  it.each([
    ['777123456', 'MISSING_PREFIX'],
    ['420777123456', 'MISSING_PREFIX'],
    ['0777 123 456', 'MISSING_PREFIX'],
    ['', 'NOT_DIGITS'],
    ['+', 'NOT_DIGITS'],
    ['+420 777 CDESK', 'NOT_DIGITS'],
    ['+٤٢٠٧٧٧١٢٣٤٥٦', 'NOT_DIGITS'],
    ['+４２０７７７１２３４５６', 'NOT_DIGITS'],
    ['+420+777123456', 'NOT_DIGITS'],
    ['00+420777123456', 'NOT_DIGITS'],
    ['+42077712345', 'WRONG_LENGTH'],
    ['+4207771234567', 'WRONG_LENGTH'],
    ['+42190312345', 'WRONG_LENGTH'],
    ['+1234567', 'TOO_SHORT'],
    ['+1234567890123456', 'TOO_LONG'],
    ['+0420777123456', 'UNKNOWN_COUNTRY'],
    ['000420777123456', 'UNKNOWN_COUNTRY'],
  ])('%s is refused by the rule %s', (input, rule) => {
    expect(normalisePhoneNumber(input)).toEqual({ ok: false, rule, message: expect.stringMatching(/\.$/) });
  });

  it('that was accepted is E.164 and is accepted again, whatever was typed', () => {
    const typed = fc.oneof(fc.string(), fc.stringMatching(/^(\+|00)?[0-9 ()-]{0,20}$/)).map(normalisePhoneNumber);

    fc.assert(
      fc.property(typed, (result) => {
        const value = result.ok ? result.value : '+420777123456';

        expect(value).toMatch(/^\+[1-9][0-9]{7,14}$/);
        expect(normalisePhoneNumber(value)).toEqual({ ok: true, value });
      }),
    );
  });
});

describe('the key by which numbers are compared', () => {
  it.each([
    ['Brazil with and without the mobile 9', '5511987654321', '551187654321'],
    ['Mexico with and without 1', '5215512345678', '525512345678'],
    ['Argentina with and without 9', '5491123456789', '541123456789'],
    ['with and without +', '+420777123456', '420777123456'],
  ])('is the same for %s', (_fact, one, other) => {
    expect(comparisonKey(one)).toBe(comparisonKey(other));
  });

  it.each(['420777123456', '551132345678', '525512345678', '16505551234', 'US.13491208655302741918', ''])(
    'leaves %s as it is',
    (waId) => {
      expect(comparisonKey(waId)).toBe(waId);
    },
  );

  it('is the key of itself', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^5[245][0-9]{8,12}$/), (waId) => {
        expect(comparisonKey(comparisonKey(waId))).toBe(comparisonKey(waId));
      }),
    );
  });
});

it.each([
  ['420777123456', '+420777123456'],
  ['+420777123456', '+420777123456'],
  ['US.13491208655302741918', null],
  ['0123456789', null],
  ['1234', null],
  ['1234567890123456', null],
  ['', null],
])('the phone number of the id %s is %s', (waId, phoneNumber) => {
  expect(phoneNumberOfWaId(waId)).toBe(phoneNumber);
});
