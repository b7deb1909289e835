import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  askedAgain,
  beaconOf,
  beaconOff,
  beaconTurn,
  type BeaconMessage,
  type BeaconState,
} from '../src/services/beacon.ts';

const minute = (n: number) => new Date(Date.UTC(2026, 0, 1, 12, n));

function customer(sequence: number, more: Partial<BeaconMessage> = {}): BeaconMessage {
  return { id: `c${sequence}`, sequence, sentAt: minute(sequence), by: 'customer', live: true, waived: false, ...more };
}

function reply(sequence: number, more: Partial<BeaconMessage> = {}): BeaconMessage {
  return { id: `r${sequence}`, sequence, sentAt: minute(sequence), by: 'us', live: true, waived: false, ...more };
}

const on = (sequence: number): BeaconState => ({
  on: true,
  since: minute(sequence),
  triggerId: `c${sequence}`,
  waived: false,
});

describe('the beacon of a conversation', () => {
  it.each<[fact: string, messages: BeaconMessage[], state: BeaconState]>([
    ['is off where nobody wrote', [], beaconOff],
    ['goes on with the first unanswered message', [customer(1)], on(1)],
    ['keeps the time of the first one when more follow', [customer(1), customer(2), customer(3)], on(1)],
    ['goes off with a reply', [customer(1), reply(2)], beaconOff],
    ['goes on again with the next message', [customer(1), reply(2), customer(3)], on(3)],
    ['returns with its old time when the reply failed', [customer(1), reply(2, { live: false })], on(1)],
    ['stays off while another live reply exists', [customer(1), reply(2), reply(3, { live: false })], beaconOff],
    [
      'is off while the last message is waived',
      [customer(1), customer(2, { waived: true })],
      { ...beaconOff, waived: true },
    ],
    ['begins anew after a waiver', [customer(1), customer(2, { waived: true }), customer(3)], on(3)],
    [
      'falls back to the waiver when the newer message is withdrawn',
      [customer(1, { waived: true }), customer(2, { live: false })],
      { ...beaconOff, waived: true },
    ],
    ['goes off when the only unanswered message is withdrawn', [customer(1, { live: false })], beaconOff],
    [
      'counts a late message by its arrival',
      [reply(1), customer(2, { sentAt: minute(0) })],
      { ...on(2), since: minute(0) },
    ],
    ['ignores imported history', [customer(1, { live: false }), reply(2, { live: false })], beaconOff],
  ])('%s', (_fact, messages, state) => {
    expect(beaconOf(messages)).toEqual(state);
  });

  it("by Meta's times lets a late message be answered by a reply that came before it", () => {
    const messages = [
      customer(1, { sentAt: minute(1) }),
      reply(2, { sentAt: minute(5) }),
      customer(3, { sentAt: minute(4) }),
    ];

    expect(beaconOf(messages, 'provider_time')).toEqual(beaconOff);
    expect(beaconOf(messages, 'arrival').on).toBe(true);
  });

  it('is the same step by step as from all messages, for any history', () => {
    const step = fc.constantFrom('customer', 'reply', 'waive', 'withdraw', 'fail');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const messages: BeaconMessage[] = [];
        let state = beaconOff;
        for (const [index, kind] of steps.entries()) {
          const last = messages.at(-1);
          if (kind === 'customer') messages.push(customer(index + 1));
          if (kind === 'reply') messages.push(reply(index + 1));
          if (kind === 'waive' && last?.by === 'customer' && last.live) last.waived = true;
          if (kind === 'withdraw' && last?.by === 'customer') last.live = false;
          if (kind === 'fail' && last?.by === 'us') last.live = false;
          const added = messages.at(-1);
          if (kind === 'customer' && added) state = askedAgain(state, added);
          else if (kind === 'reply') state = beaconOff;
          else state = beaconOf(messages);
          expect(state).toEqual(beaconOf(messages));
        }
      }),
    );
  });

  it('does not depend on the order in which the messages are given', () => {
    const messages = [customer(1), reply(2), customer(3), customer(4), reply(5, { live: false })];

    fc.assert(
      fc.property(fc.shuffledSubarray(messages, { minLength: messages.length }), (shuffled) => {
        expect(beaconOf(shuffled)).toEqual(beaconOf(messages));
      }),
    );
  });

  it('tells of a change once', () => {
    expect(beaconTurn(beaconOff, on(1), 'CUSTOMER_MESSAGE')).toEqual({ on: true, reason: 'CUSTOMER_MESSAGE' });
    expect(beaconTurn(on(1), on(1), 'CUSTOMER_MESSAGE')).toBeNull();
    expect(beaconTurn(beaconOff, beaconOff, 'OPERATOR_REPLIED')).toBeNull();
  });
});
