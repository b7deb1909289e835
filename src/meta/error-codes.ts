/**
 * Meta's error codes as data. The HTTP status is not reliable (the same code is documented under 400, seen under 403
 * and 429), so the code decides and the status is only asked about codes that are not listed.
 */

/** What a failed call means for the message and for the business number behind it. */
export type MetaErrorClass = 'temporary' | 'permanent' | 'channel' | 'window-closed';

/** Who has to wait: one pair limit must not stop a number, and one throttled number must not stop the other. */
export type BackOffScope = 'message' | 'recipient' | 'number' | 'account' | 'app';

/** What the error tells about something other than the message. */
export type MetaErrorEffect =
  | 'marketing-opt-out'
  | 'template-unusable'
  | 'recipient-unreachable'
  | 'object-missing'
  | 'stale-cursor'
  | 'none';

export type MetaErrorRule = {
  class: MetaErrorClass;
  scope: BackOffScope;
  /** Pause before the first, second … repeat; the last one goes on for the remaining repeats. */
  delaysMs: readonly number[];
  maxRetries: number;
  /** For the operator: what happened and what to do. */
  meaning: string;
  /** Whether sending the same message again by hand can succeed. */
  retryable: boolean;
  effect: MetaErrorEffect;
};

type Row = Partial<Omit<MetaErrorRule, 'class' | 'meaning'>> & { codes: readonly number[]; meaning: string };

const second = 1_000;
const minute = 60 * second;

const temporary: readonly Row[] = [
  {
    codes: [1],
    delaysMs: [5 * second, 30 * second],
    meaning: 'WhatsApp could not process the request. It is tried again; if it keeps failing, check the content.',
  },
  {
    codes: [2],
    scope: 'app',
    delaysMs: [5 * second, 15 * second, minute, 5 * minute],
    maxRetries: 8,
    meaning: 'WhatsApp is temporarily overloaded. The message waits and is sent again by itself.',
  },
  {
    codes: [4, 613],
    scope: 'app',
    delaysMs: [minute, 5 * minute, 15 * minute],
    maxRetries: 12,
    meaning: 'The limit of calls to WhatsApp has been reached. Sending continues by itself in a few minutes.',
  },
  {
    codes: [80007],
    scope: 'account',
    delaysMs: [minute, 5 * minute, 15 * minute],
    maxRetries: 12,
    meaning: 'The limit of the WhatsApp account has been reached. Sending continues by itself in a few minutes.',
  },
  {
    codes: [130429],
    scope: 'number',
    delaysMs: [second, 2 * second, 4 * second, 8 * second, 15 * second, 30 * second],
    maxRetries: 30,
    meaning: 'Too many messages per second leave this number. The message is sent in a moment.',
  },
  {
    // Meta's page prescribes 4^X seconds, X = 0, 1, 2 …
    codes: [131056],
    scope: 'recipient',
    delaysMs: [second, 4 * second, 16 * second, 64 * second, 256 * second],
    maxRetries: 8,
    meaning: 'Too many messages went to this customer in a short time. The message is sent a little later.',
  },
  {
    codes: [131000],
    delaysMs: [5 * second, 30 * second, 2 * minute],
    meaning: 'WhatsApp failed for an unknown reason. It is tried a few times again.',
  },
  {
    codes: [131016, 133004],
    scope: 'number',
    delaysMs: [10 * second, 30 * second, minute, 5 * minute],
    maxRetries: 10,
    meaning: 'The WhatsApp service is temporarily unavailable. The message is sent again by itself.',
  },
  {
    codes: [131057],
    scope: 'number',
    delaysMs: [minute, 2 * minute, 5 * minute],
    meaning: 'WhatsApp is maintaining this number. Sending continues within minutes.',
  },
];

const channel: readonly Row[] = [
  {
    codes: [0, 190],
    scope: 'account',
    meaning: 'The access token is invalid or has expired. An administrator must enter a new one.',
  },
  {
    codes: [3, 10, 131005, 138006],
    scope: 'account',
    meaning: 'The access token lacks a permission, or the account is not assigned to it. An administrator must add it.',
  },
  {
    codes: [368, 131031],
    scope: 'account',
    meaning: 'WhatsApp has restricted or locked the business account. An administrator must look in WhatsApp Manager.',
  },
  {
    codes: [131042],
    scope: 'account',
    meaning: 'WhatsApp reports a problem with the payment method. The owner of the account must settle it.',
  },
  {
    codes: [131048, 131064],
    scope: 'number',
    meaning: 'Too many messages of this number were reported as spam. Sending is limited; see WhatsApp Manager.',
  },
  {
    codes: [33],
    scope: 'number',
    meaning: 'The business number was deleted at WhatsApp. An administrator must check the settings.',
  },
  {
    codes: [131037],
    scope: 'number',
    meaning: 'The display name of the number is not approved yet. An administrator must finish it in WhatsApp Manager.',
  },
  {
    codes: [131045, 133010, 133006, 133000, 133005, 133008, 133009, 133015, 133016],
    scope: 'number',
    meaning: 'The business number is not registered for sending. An administrator must finish its registration.',
  },
];

const windowClosed: readonly Row[] = [
  {
    codes: [131047, 470],
    scope: 'recipient',
    retryable: false,
    meaning: 'More than 24 hours have passed since the customer wrote. Send an approved template instead.',
  },
];

const permanent: readonly Row[] = [
  {
    codes: [131026, 1006],
    scope: 'recipient',
    effect: 'recipient-unreachable',
    // False hits are reported from the field, so that a repeat by hand stays possible.
    retryable: true,
    meaning:
      'The message cannot be delivered: the number is not on WhatsApp, uses an old version or refused the terms.',
  },
  {
    codes: [131049],
    scope: 'recipient',
    retryable: true,
    meaning: 'WhatsApp did not deliver it because the customer got many marketing messages. Wait at least 24 hours.',
  },
  {
    codes: [131050],
    scope: 'recipient',
    effect: 'marketing-opt-out',
    meaning: 'The customer has stopped marketing messages from this business. Do not send them any more.',
  },
  {
    codes: [130472],
    scope: 'recipient',
    meaning: 'WhatsApp excluded this customer from marketing messages for an experiment. It cannot be delivered.',
  },
  {
    // Documented as a reason to stop the account, but it depends on where the recipient is.
    codes: [130497],
    scope: 'recipient',
    meaning: 'The business may not write to customers in this country.',
  },
  {
    codes: [131030],
    scope: 'recipient',
    meaning: 'The business number is a test number and this customer is not on its list of allowed recipients.',
  },
  { codes: [131021], scope: 'recipient', meaning: 'The recipient is the business number itself.' },
  {
    codes: [100, 131008, 131009, 135000],
    meaning: 'WhatsApp refused the content of the message as invalid. The detail says which part.',
  },
  { codes: [131051], meaning: 'WhatsApp does not support this kind of message.' },
  { codes: [131052], meaning: 'WhatsApp could not load the file. Ask the customer to send it again.' },
  {
    codes: [131053],
    retryable: true,
    meaning: 'WhatsApp could not take over the attachment. Check its type and size and send it again.',
  },
  {
    codes: [131062],
    meaning: 'This kind of template needs the phone number of the customer, which is not known.',
  },
  {
    codes: [132000, 132012, 132018],
    meaning: 'The values filled into the template do not fit it. Check their number, kind and line breaks.',
  },
  {
    codes: [132001],
    effect: 'template-unusable',
    meaning: 'The template does not exist in this language or is not approved. Choose another one.',
  },
  {
    codes: [132007, 132016],
    effect: 'template-unusable',
    meaning: 'WhatsApp has switched this template off for its content or quality. Choose another one.',
  },
  {
    codes: [132015],
    effect: 'template-unusable',
    retryable: true,
    meaning:
      'WhatsApp has paused this template for its low quality. Choose another one or wait until it is active again.',
  },
  {
    codes: [132005, 132008],
    meaning: 'The template is too long with these values or its format does not match. Shorten the values.',
  },
  { codes: [132068, 132069], meaning: 'The form in this template is blocked or throttled. Choose another template.' },
  { codes: [134011], meaning: 'The payment terms were not accepted, or the order is not valid.' },
  {
    codes: [131063, 131055, 134100, 134101, 134102, 1752041],
    meaning: 'Marketing templates cannot be sent from this account in this way. Choose another template.',
  },
  {
    codes: [2388040, 2388047, 2388072, 2388073, 2388293, 2388299, 2388019],
    meaning: 'WhatsApp refused the definition of the template. The detail says why.',
  },
  {
    codes: [131059],
    effect: 'stale-cursor',
    retryable: true,
    meaning: 'The position in the listing has expired. The listing must start again.',
  },
];

const byCode: ReadonlyMap<number, MetaErrorRule> = new Map([
  ...temporary.flatMap((row) => rules('temporary', row)),
  ...channel.flatMap((row) => rules('channel', row)),
  ...windowClosed.flatMap((row) => rules('window-closed', row)),
  ...permanent.flatMap((row) => rules('permanent', row)),
]);

/** Code 100 with subcode 33: the addressed object is gone, or the token may not see it. Meta never answers 404. */
export const objectMissing: MetaErrorRule = rule('channel', {
  scope: 'number',
  effect: 'object-missing',
  meaning: 'WhatsApp does not know this id, or the access token may not use it. Check the ids in the settings.',
});

/** The rule of a code, or null if it is not listed: Meta's own list is not complete either. */
export function metaErrorRule(code: number, subcode: number | null = null): MetaErrorRule | null {
  if (code === 100 && subcode === 33) return objectMissing;
  if (code >= 200 && code <= 299) return byCode.get(10) ?? null;
  return byCode.get(code) ?? null;
}

/** Every listed code. */
export function metaErrorCodes(): number[] {
  return [...byCode.keys()];
}

export function rule(kind: MetaErrorClass, row: Omit<Row, 'codes'>): MetaErrorRule {
  const delaysMs = row.delaysMs ?? [];
  return {
    class: kind,
    scope: row.scope ?? 'message',
    delaysMs,
    maxRetries: row.maxRetries ?? delaysMs.length,
    meaning: row.meaning,
    // Waiting cures the temporary ones and an administrator the channel; what is refused for its content stays refused.
    retryable: row.retryable ?? (kind === 'temporary' || kind === 'channel'),
    effect: row.effect ?? 'none',
  };
}

function rules(kind: MetaErrorClass, row: Row): [number, MetaErrorRule][] {
  return row.codes.map((code) => [code, rule(kind, row)]);
}
