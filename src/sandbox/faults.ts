import { customerId } from './ids.ts';
import type { Random } from './random.ts';

/** What goes wrong with the answer to a call. */
export type AnswerFault =
  /** Refused with one of Meta's codes; nothing is sent. */
  | { kind: 'error'; code: number; subcode?: number; httpStatus?: number; details?: string }
  /** 5xx with an HTML page. `accepted`: the message went out all the same. */
  | { kind: 'server-error'; httpStatus?: number; accepted?: boolean }
  /** The message goes out, the answer never comes. */
  | { kind: 'hang' }
  /** The message goes out (unless `accepted` is false) and the connection is cut. */
  | { kind: 'cut'; accepted?: boolean }
  /** The message goes out, the 200 has an unreadable body. */
  | { kind: 'garbled' }
  | { kind: 'slow'; ms: number };

/** What goes wrong with the statuses of an accepted message. */
export type DeliveryFault =
  | { kind: 'status-first' }
  | { kind: 'duplicate-statuses' }
  | { kind: 'reverse-statuses' }
  | { kind: 'drop-statuses'; only?: readonly ('sent' | 'delivered' | 'read')[] }
  | { kind: 'late-statuses'; ms: number }
  /** `sent` and then `failed` with this code; `atOnce` leaves out the `sent`. */
  | { kind: 'failed-status'; code: number; details?: string; atOnce?: boolean };

export type Fault = AnswerFault | DeliveryFault;

/** Which calls it hits: the next so many, each by chance, or all that match. */
export type FaultRule = Fault & {
  next?: number;
  probability?: number;
  /** Only calls of this kind; messages if missing. */
  on?: CallKind;
  phoneNumberId?: string;
  /** The customer's number or business-scoped id. */
  to?: string;
  /** Only texts that contain it, so that a person can ask for a fault by typing. */
  textIncludes?: string;
};

export type CallKind = 'messages' | 'media' | 'templates' | 'account';

export type Call = { kind: CallKind; phoneNumberId?: string; to?: string; text?: string };

export type Faults = {
  add(rule: FaultRule): void;
  list(): readonly FaultRule[];
  clear(): void;
  /** The faults of one call, in the order in which they were set; counts down. */
  strike(call: Call): Fault[];
};

const deliveryKinds: ReadonlySet<Fault['kind']> = new Set([
  'status-first',
  'duplicate-statuses',
  'reverse-statuses',
  'drop-statuses',
  'late-statuses',
  'failed-status',
]);

export function createFaults(random: Random): Faults {
  let rules: FaultRule[] = [];

  return {
    add: (rule) => void rules.push({ ...rule }),
    list: () => rules,
    clear: () => void (rules = []),
    strike(call) {
      const struck = rules.filter((rule) => matches(rule, call) && random.next() < (rule.probability ?? 1));
      for (const rule of struck) if (rule.next !== undefined) rule.next -= 1;
      rules = rules.filter((rule) => rule.next === undefined || rule.next > 0);
      return struck;
    },
  };
}

export function isDeliveryFault(fault: Fault): fault is DeliveryFault {
  return deliveryKinds.has(fault.kind);
}

export function isAnswerFault(fault: Fault): fault is AnswerFault {
  return !deliveryKinds.has(fault.kind);
}

function matches(rule: FaultRule, call: Call): boolean {
  if ((rule.on ?? 'messages') !== call.kind) return false;
  if (rule.phoneNumberId !== undefined && rule.phoneNumberId !== call.phoneNumberId) return false;
  if (rule.to !== undefined && customerId(rule.to) !== call.to) return false;
  return rule.textIncludes === undefined || (call.text ?? '').includes(rule.textIncludes);
}
