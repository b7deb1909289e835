import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MessageStatus } from '../src/generated/prisma/enums.ts';
import { nextStatus, statusHistory } from '../src/services/status.ts';
import { closeWindow, extendWindow, isWindowOpen, windowState, type MessagingWindow } from '../src/services/window.ts';

const opened = new Date('2026-03-01T10:00:00Z');
const after = (ms: number) => new Date(opened.getTime() + ms);
const HOUR = 3_600_000;
const never: MessagingWindow = { openedAt: null, openedBy: null, expiresAt: null };

describe('the 24-hour window', () => {
  it.each([
    [-1, 'OPEN'],
    [0, 'OPEN'],
    [23 * HOUR - 1, 'OPEN'],
    [23 * HOUR, 'EXPIRING_SOON'],
    [24 * HOUR - 1, 'EXPIRING_SOON'],
    [24 * HOUR, 'CLOSED'],
    [25 * HOUR, 'CLOSED'],
  ])('%i ms after the message is %s', (ms, state) => {
    const { expiresAt } = extendWindow(never, opened, 'CUSTOMER_MESSAGE');

    expect(windowState(expiresAt, after(ms), 60)).toBe(state);
    expect(isWindowOpen(expiresAt, after(ms))).toBe(state !== 'CLOSED');
  });

  it('was never open without a message or a call', () => {
    expect(windowState(null, opened, 60)).toBe('NEVER_OPENED');
  });

  it('is the same for every order of messages and calls', () => {
    const instants = fc.array(fc.integer({ min: 0, max: 100 * HOUR }), { minLength: 1, maxLength: 8 });
    const build = (all: number[]) =>
      all.reduce((window, ms) => extendWindow(window, after(ms), 'CUSTOMER_MESSAGE'), never);
    fc.assert(
      fc.property(instants, (all) => {
        expect(build(all)).toEqual(build(all.toReversed()));
      }),
    );
  });

  it('closes when Meta says so, and never opens by that', () => {
    const window = extendWindow(never, opened, 'CUSTOMER_CALL');

    expect(windowState(closeWindow(window, after(HOUR)).expiresAt, after(HOUR), 60)).toBe('CLOSED');
    expect(closeWindow(never, opened)).toEqual(never);
  });
});

describe('the status of a message', () => {
  it.each<[from: MessageStatus, told: MessageStatus, to: MessageStatus]>([
    ['PENDING', 'SENT', 'SENT'],
    ['PENDING', 'READ', 'READ'],
    ['PENDING', 'FAILED', 'FAILED'],
    ['SENT', 'FAILED', 'FAILED'],
    ['SENT', 'DELIVERED', 'DELIVERED'],
    ['DELIVERED', 'SENT', 'DELIVERED'],
    ['DELIVERED', 'FAILED', 'DELIVERED'],
    ['READ', 'DELIVERED', 'READ'],
    ['READ', 'FAILED', 'READ'],
    ['FAILED', 'SENT', 'FAILED'],
    ['FAILED', 'DELIVERED', 'DELIVERED'],
    ['FAILED', 'READ', 'READ'],
  ])('%s told %s becomes %s', (from, told, to) => {
    expect(nextStatus(from, told)).toBe(to);
  });

  it('is the same for every order in which Meta tells it', () => {
    const told = fc.array(fc.constantFrom<MessageStatus>('SENT', 'DELIVERED', 'READ', 'FAILED'), { maxLength: 6 });
    const end = (all: MessageStatus[]) => all.reduce(nextStatus, 'PENDING');
    fc.assert(
      fc.property(told, (all) => {
        expect(end(all)).toBe(end(all.toReversed()));
      }),
    );
  });

  it('infers a DELIVERED that Meta left out, at the time of READ', () => {
    const history = statusHistory([
      { status: 'READ', at: after(2000), recordedAt: after(2100) },
      { status: 'SENT', at: after(1000), recordedAt: after(1100) },
    ]);

    expect(history.map(({ status, inferred }) => [status, inferred])).toEqual([
      ['SENT', false],
      ['DELIVERED', true],
      ['READ', false],
    ]);
  });
});
