/** A column of the conversation's row that a condition may look at. */
export type ConditionColumn =
  | 'number'
  | 'numberText'
  | 'source'
  | 'businessNumberId'
  | 'lastRepliedById'
  | 'participantSearch'
  | 'lastMessageSearch'
  | 'lastMessageStatus'
  | 'lastMessageDirection'
  | 'lastMessageAt'
  | 'createdAt'
  | 'beaconOn'
  | 'noReplyNeeded'
  | 'unreadCount'
  | 'windowExpiresAt'
  | 'requestCount'
  | 'requestCodes'
  | 'mergedIntoId';

/** What a conversation must be like. Every condition is true or false, also where a value is null. */
export type Condition =
  | { is: 'all' | 'any'; of: Condition[] }
  | { is: 'not'; of: Condition }
  | { is: 'true' | 'null'; column: ConditionColumn }
  | { is: '=' | '>=' | '<' | '>' | '<='; column: ConditionColumn; value: number | string | Date }
  | { is: 'in'; column: ConditionColumn; values: readonly string[] | readonly number[] }
  | { is: 'like'; column: ConditionColumn; pattern: string }
  /** A word of a name begins with it, or the phone number in its own line. */
  | { is: 'begins'; column: ConditionColumn; text: string }
  /** The text of some message. How it is looked up is a matter of speed alone. */
  | { is: 'message-like'; pattern: string };

export const everything: Condition = { is: 'all', of: [] };
export const nothing: Condition = { is: 'any', of: [] };

export function all(...of: Condition[]): Condition {
  return joined('all', of);
}

export function any(...of: Condition[]): Condition {
  return joined('any', of);
}

/** Flat, and without the parts that say nothing, so that the statement holds only what was asked for. */
function joined(is: 'all' | 'any', of: Condition[]): Condition {
  const parts = of.flatMap((part) => (part.is === is ? part.of : [part]));
  return parts.length === 1 && parts[0] ? parts[0] : { is, of: parts };
}

export function not(of: Condition): Condition {
  return { is: 'not', of };
}

/** `text` taken literally inside a LIKE pattern. */
export function literal(text: string): string {
  return text.replace(/[\\%_]/g, String.raw`\$&`);
}
