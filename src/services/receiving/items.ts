import type { Content, DescribedContent } from '../../db/content.ts';

/**
 * One webhook body becomes a flat list of items, each of which can succeed or fail alone.
 * `at` is Meta's time (UTC, whole seconds) or null where the element carries none that can be read.
 */
export type Item =
  | MessageItem
  | StatusItem
  | ReactionItem
  | EditItem
  | RevokeItem
  | IdentityChangeItem
  | CallItem
  | PreferenceItem
  | TemplateItem
  | AccountItem
  | UnknownItem;

/** The customer as one element names them: either id may be missing, never both on a usable item. */
export type Identity = {
  /** Digits as Meta spells them; the id to answer to, which need not be a dialable number. */
  waId: string | null;
  /** Business-scoped user id, e.g. US.13491208655302741918. */
  userId: string | null;
  profileName: string | null;
};

type OnNumber = { phoneNumberId: string };

export type Referral = {
  sourceType: string | null;
  sourceId: string | null;
  sourceUrl: string | null;
  headline: string | null;
  body: string | null;
  clickId: string | null;
};

/** Meta's error as it came, kept whole because it is sent only once. */
export type ProviderProblem = { code: number | null; title: string; detail: string | null };

/** A message of the customer, of the phone app (echo), or of an imported history. */
export type MessageItem = OnNumber &
  DescribedContent & {
    type: 'message';
    providerId: string;
    from: 'customer' | 'phone-app';
    /** Set for a history import: such a message moves neither beacon, unread, window nor status events. */
    imported: boolean;
    /** Status that Meta names for an imported outgoing message. */
    importedStatus: 'SENT' | 'DELIVERED' | 'READ' | 'FAILED' | 'PENDING' | null;
    participant: Identity;
    at: Date | null;
    quotedProviderId: string | null;
    forwarded: boolean;
    referral: Referral | null;
    problem: ProviderProblem | null;
    /** True for an `unsupported`/131060 ghost and for `media_placeholder`: the real message may follow under the same id. */
    placeholder: boolean;
    /** NUL bytes or lone surrogates were taken out of the text. */
    cleaned: boolean;
    /** Not null: a group message, kept apart from the customer's own conversation. */
    groupId: string | null;
  };

export type StatusItem = OnNumber & {
  type: 'status';
  providerId: string;
  /** 'unknown' keeps a word that we do not know: stored, never applied. */
  status: 'SENT' | 'DELIVERED' | 'READ' | 'FAILED' | 'unknown';
  word: string;
  at: Date | null;
  recipient: Identity;
  /** Our own message id, when it was echoed. */
  opaqueId: string | null;
  problem: ProviderProblem | null;
};

export type ReactionItem = OnNumber & {
  type: 'reaction';
  providerId: string;
  from: 'customer' | 'phone-app';
  participant: Identity;
  targetProviderId: string;
  /** Null removes the reaction. */
  emoji: string | null;
  at: Date | null;
};

export type EditItem = OnNumber & {
  type: 'edit';
  providerId: string;
  from: 'customer' | 'phone-app';
  participant: Identity;
  targetProviderId: string;
  replacement: DescribedContent;
  at: Date | null;
};

export type RevokeItem = OnNumber & {
  type: 'revoke';
  providerId: string;
  from: 'customer' | 'phone-app';
  participant: Identity;
  targetProviderId: string;
  at: Date | null;
};

/** The customer's number or user id changed; `content` is the notice to show in the conversation. */
export type IdentityChangeItem = OnNumber & {
  type: 'identity-change';
  providerId: string;
  previous: Identity;
  next: Identity;
  content: Content;
  at: Date | null;
};

export type CallItem = OnNumber & {
  type: 'call';
  callId: string;
  /** Only a call that the customer began opens the window. */
  byCustomer: boolean;
  event: string;
  participant: Identity;
  at: Date | null;
};

export type PreferenceItem = OnNumber & {
  type: 'preference';
  participant: Identity;
  marketing: 'stop' | 'resume';
  detail: string | null;
  at: Date | null;
};

export type TemplateItem = {
  type: 'template';
  businessAccountId: string;
  change: 'status' | 'quality' | 'category' | 'components';
  metaId: string;
  name: string | null;
  /** Normalised to Meta's sending spelling (en_US). */
  language: string | null;
  /** The event word for `status`, the new score for `quality`, the category for `category`. */
  value: string | null;
  previousValue: string | null;
  /** True where Meta only announces the change (a category, 24 hours ahead): `value` does not hold yet. */
  announced: boolean;
  reason: string | null;
  at: Date | null;
};

/** Trouble of the channel as a whole that something of Meta's begins or ends. The same key is the same trouble. */
export type Trouble = {
  key: string;
  /** For programs, e.g. ACCOUNT_RESTRICTED. */
  code: string;
  isOver: boolean;
  providerCode: number | null;
  /** When it ends by itself: the instant that Meta names, else so long after it was told; null and null: when Meta says so. */
  until: Date | null;
  lastsMs: number | null;
};

/** Account, number, capability, security and alert events: trouble or news of the channel as a whole. */
export type AccountItem = {
  type: 'account';
  businessAccountId: string;
  field: string;
  event: string | null;
  /** Digits of the business number that it is about, where it names one. */
  displayPhoneNumber: string | null;
  /** One English sentence for administrators, made of the event's own words. */
  summary: string;
  severity: 'info' | 'warning' | 'critical';
  /** What customers see as the number's name from now on; null where it is about something else. */
  approvedName: string | null;
  /** Meta's word for how customers take what the number sends; null where it is about something else. */
  qualityRating: string | null;
  trouble: Trouble | null;
  at: Date | null;
};

/** Kept, counted, never applied. `path` says where in the body it stood. */
export type UnknownItem = { type: 'unknown'; path: string; field: string | null; why: string };
