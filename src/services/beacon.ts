import type { BeaconReason } from '../generated/prisma/enums.ts';

/** The beacon as the conversation row keeps it. */
export type BeaconState = {
  on: boolean;
  /** Provider time of the first customer message still without an answer. */
  since: Date | null;
  triggerId: string | null;
  /** The last customer message carries a waiver. */
  waived: boolean;
};

/** What the beacon needs to know of one message. */
export type BeaconMessage = {
  id: string;
  sequence: number;
  sentAt: Date;
  /** Only messages of the customer ask for an answer; only live replies give one. */
  by: 'customer' | 'us';
  /** Customer: not imported, not withdrawn. Reply: not imported, not FAILED, not discarded. */
  live: boolean;
  waived: boolean;
};

export type BeaconOrder = 'arrival' | 'provider_time';

/** Which way an event turned the beacon, or null where nothing changed. */
export type BeaconTurn = { on: boolean; reason: BeaconReason } | null;

export const beaconOff: BeaconState = { on: false, since: null, triggerId: null, waived: false };

/**
 * The beacon, computed from all messages of a conversation: on while a live customer message came after the newest
 * live reply and the last such message carries no waiver; `since` is that of the first one after the reply or,
 * where a later one was waived, after that. Messages may come in any order.
 */
export function beaconOf(messages: readonly BeaconMessage[], order: BeaconOrder = 'arrival'): BeaconState {
  const live = messages.filter((message) => message.live).toSorted(by(order));
  const asked = live.slice(live.findLastIndex((message) => message.by === 'us') + 1);
  if (asked.at(-1)?.waived) return { ...beaconOff, waived: true };
  const first = asked[asked.findLastIndex((message) => message.waived) + 1];
  return first ? { on: true, since: first.sentAt, triggerId: first.id, waived: false } : beaconOff;
}

function by(order: BeaconOrder): (a: BeaconMessage, b: BeaconMessage) => number {
  if (order === 'arrival') return (a, b) => a.sequence - b.sequence;
  return (a, b) => a.sentAt.getTime() - b.sentAt.getTime() || a.sequence - b.sequence;
}

/** A live customer message was stored after everything else: equal to `beaconOf`, without loading the others. */
export function askedAgain(state: BeaconState, message: { id: string; sentAt: Date }): BeaconState {
  if (state.on) return state;
  return { on: true, since: message.sentAt, triggerId: message.id, waived: false };
}

/** The one event of a change; ON to ON and OFF to OFF are none. */
export function beaconTurn(before: BeaconState, after: BeaconState, reason: BeaconReason): BeaconTurn {
  return before.on === after.on ? null : { on: after.on, reason };
}
